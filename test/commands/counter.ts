import type { Command } from '../../src/commands/command.ts';
import { type CommandHandler, dispatcher } from '../../src/commands/command-handler.ts';
import type { CommandRequest } from '../../src/commands/command-request.ts';
import { accept, refuse } from '../../src/commands/decider.ts';
import type { EntityType } from '../../src/commands/entity-type.ts';
import { isJsonObject, jsonOf, type PlainJson } from '../../src/core/json.ts';

/** The smallest entity: the runtime must not need to know more of an entity than this one tells. */
export type Add = Command<'Add', { readonly by: number }>;
export interface Added {
  readonly by: number;
}

const add: CommandHandler<Add, Added, number> = {
  type: 'Add',
  description: 'Adds to the counter.',
  decode: dto => ({ by: Number(dto.decimal('by')) }),
  decide({ data }, state) {
    if (data.by === 666) throw new Error('a bug in a decider');
    if (state + data.by < 0) return refuse('below_zero', `${state} is too little`, 'take less');
    return accept<Added>({ by: data.by });
  },
};

const adding = dispatcher<Add, Added, number>([add]);

export const counter: EntityType<Add, Added, number> = {
  name: 'counter',
  topics: { commands: 'counter-commands', events: 'counter-events', snapshots: 'counters', published: [] },
  dispatcher: adding,
  decider: { initial: 0, decide: adding.decide, evolve: (state, event) => state + event.by },
  encodeEvent: ({ by }, { version }) => ({ type: 'Added', version, by }),
  decodeEvent: value => {
    const { by, version } = JSON.parse(Buffer.from(value).toString());
    return { event: { by }, version };
  },
  encodeSnapshot: (state, { version }) => ({ state, version }),
  decodeSnapshot: value => JSON.parse(Buffer.from(value).toString()),
};

export function request(
  entityId: string,
  data: { readonly [name: string]: PlainJson },
  more: Partial<CommandRequest> = {},
): CommandRequest {
  const members = jsonOf(data);
  if (!isJsonObject(members)) throw new Error('an object');
  return { type: 'Add', entityId, data: members, ...more };
}

export const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

export const text = (value: Uint8Array | null | undefined): string => Buffer.from(value ?? []).toString();
