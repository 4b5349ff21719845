import { MillraceError } from '../core/errors.ts';
import type { FieldError } from './dto-reader.ts';
import type { EventDocument } from './entity-type.ts';

/** What became of a command. Written once per command id; the same id gives the same result. */
export interface CommandResult {
  readonly commandId: string;
  readonly type: string;
  /** kind of entity, as `invoice` */
  readonly entity: string;
  readonly entityId: string;
  /** who sent it, when the sender said so: results are pushed per origin */
  readonly origin: string | null;
  readonly status: 'accepted' | 'rejected';
  readonly error: CommandError | null;
  readonly events: readonly EventDocument[];
  /** of the entity: after the command, or when it was refused; null when it could not be looked at */
  readonly version: number | null;
  /** when the command was accepted, ms */
  readonly at: number;
  /** a view at this position has seen all that the command did */
  readonly position: number;
}

export interface CommandError {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly fields: readonly FieldError[];
}

/** The result before its place in the log is known. */
export type ResultDraft = Omit<CommandResult, 'position'>;

export function encodeResult(draft: ResultDraft): Uint8Array {
  return Buffer.from(JSON.stringify(draft), 'utf8');
}

/** `seq`: of the result's record, which is the last one that the command wrote. */
export function decodeResult(value: Uint8Array, seq: number): CommandResult {
  try {
    const draft: ResultDraft = JSON.parse(Buffer.from(value).toString('utf8'));
    if (typeof draft.commandId === 'string' && Array.isArray(draft.events)) {
      return { ...draft, position: seq + 1 };
    }
  } catch (cause) {
    throw new MillraceError('data_corrupt', `the command result at ${seq} is unreadable`, { cause });
  }
  throw new MillraceError('data_corrupt', `the record at ${seq} is no command result`);
}
