import { assert } from '../core/assert.ts';
import type { Command } from './command.ts';
import type { Decision } from './decider.ts';
import type { DtoReader } from './dto-reader.ts';

/**
 * A partial handler: it knows one type of command, how its data is read, and what it decides.
 * (Methods, not properties: a handler of one command fits where handlers of all commands of an entity are listed.)
 */
export interface CommandHandler<C extends Command, Event, State> {
  readonly type: C['type'];
  /** one sentence for documentation */
  readonly description: string;
  /** Reads and validates the data; faults are left with the reader, the result then does not matter. */
  decode(dto: DtoReader): C['data'];
  decide(command: C, state: State): Decision<Event>;
}

/** The partial handlers of an entity made whole. */
export interface Dispatcher<C extends Command, Event, State> {
  /** the types that it takes, in the order of the handlers */
  readonly types: readonly string[];
  find(type: string): CommandHandler<C, Event, State> | null;
  decide(command: C, state: State): Decision<Event>;
}

export function dispatcher<C extends Command, Event, State>(
  handlers: readonly CommandHandler<C, Event, State>[],
): Dispatcher<C, Event, State> {
  const byType = new Map<string, CommandHandler<C, Event, State>>();
  for (const handler of handlers) {
    assert(!byType.has(handler.type), `two handlers of ${handler.type}`);
    byType.set(handler.type, handler);
  }
  return {
    types: [...byType.keys()],
    find: type => byType.get(type) ?? null,
    decide(command, state) {
      const handler = byType.get(command.type);
      assert(handler, `no handler of ${command.type}; it is refused before`);
      return handler.decide(command, state);
    },
  };
}
