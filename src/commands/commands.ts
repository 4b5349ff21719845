import type { CommandRequest } from './command-request.ts';
import type { CommandResult } from './command-result.ts';
import type { EventDocument } from './entity-type.ts';

/** The write side as HTTP, the command line and pipelines see it. */
export interface Commands {
  /** command types that are taken, with a sentence each */
  readonly types: readonly { readonly type: string; readonly description: string }[];
  /**
   * Appends the command and resolves with its result as soon as both are durable; a refused command has a result too.
   * A command id that was seen before gives its first result again. Rejects with `command_invalid`, `unknown_command`,
   * `overloaded` (nothing was appended), `log_write_failed` or `disk_full`.
   */
  submit(request: CommandRequest): Promise<CommandResult>;
  /** As submit, but resolves when the command itself is durable; its result is asked for later. */
  enqueue(request: CommandRequest): Promise<{ readonly commandId: string }>;
  /** The durable result; `pending` while the command is accepted and has none; null when the id is unknown. */
  result(commandId: string): CommandResult | 'pending' | null;
  /** Hears durable results of one origin, or of all (null). Returns how to stop. */
  onResult(origin: string | null, listener: (result: CommandResult) => void): () => void;
  /** The event bus: hears durable events of one entity, or of all (null), in the order of the log. */
  onEvent(entityId: string | null, listener: (event: BusEvent) => void): () => void;
}

export interface BusEvent {
  readonly entity: string;
  readonly entityId: string;
  readonly origin: string | null;
  readonly commandId: string;
  /** sequence of the event's record */
  readonly seq: number;
  /** a view at this position has seen the whole command */
  readonly position: number;
  readonly event: EventDocument;
}
