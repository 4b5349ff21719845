import type { Command } from './command.ts';
import type { Dispatcher } from './command-handler.ts';
import type { Decider } from './decider.ts';

/** An event as it is written: JSON-safe, money and 64-bit numbers as strings. */
export interface EventDocument {
  readonly type: string;
  /** of the entity, after this event */
  readonly version: number;
  readonly [field: string]: JsonSafe;
}

export type JsonSafe =
  | null
  | boolean
  | string
  | number
  | readonly JsonSafe[]
  | { readonly [field: string]: JsonSafe };

/** What the runtime knows about an event beside the event. */
export interface EventMeta {
  readonly entityId: string;
  /** of the entity, after this event */
  readonly version: number;
  /** when the command was accepted, ms */
  readonly at: number;
  readonly commandId: string;
}

export interface SnapshotMeta {
  readonly entityId: string;
  readonly version: number;
  readonly at: number;
}

export interface Snapshot<State> {
  readonly state: State;
  readonly version: number;
}

/** A further record that is written together with an event. */
export interface Published {
  readonly topic: string;
  readonly key: string;
  readonly document: { readonly [field: string]: JsonSafe };
}

/** All that the runtime must be told of a kind of entity. */
export interface EntityType<C extends Command, Event, State> {
  /** singular, lower case: `invoice` */
  readonly name: string;
  readonly topics: {
    readonly commands: string;
    readonly events: string;
    readonly snapshots: string;
    /** topics that `publish` writes to */
    readonly published: readonly string[];
  };
  readonly decider: Decider<C, Event, State>;
  readonly dispatcher: Dispatcher<C, Event, State>;
  encodeEvent(event: Event, meta: EventMeta): EventDocument;
  /** Reads an event of any schema version that was ever written. Throws `value_undecodable`. */
  decodeEvent(value: Uint8Array): { readonly event: Event; readonly version: number };
  encodeSnapshot(state: State, meta: SnapshotMeta): { readonly [field: string]: JsonSafe };
  /** null: a snapshot of another form, the events are to be read instead */
  decodeSnapshot(value: Uint8Array): Snapshot<State> | null;
  /** further topics that carry an event */
  publish?(event: Event, meta: EventMeta): readonly Published[];
}
