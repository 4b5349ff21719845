import type { EventLog } from '../log/event-log.ts';
import type { Command } from './command.ts';
import type { EntityType, Snapshot } from './entity-type.ts';

/** entities of a single command that are kept, at most */
const ONCE = 512;

/**
 * The current state of entities: from memory if touched of late, else from the last snapshot and the events after it.
 * One that a second command asks for stays long; of those that had one command few are kept (2Q: Johnson, Shasha 1994).
 * Most entities are made and then left alone for long: kept for thousands of commands, they would all grow old in the
 * collector's heap before they go.
 * Sees accepted appends, durable or not; `forgetAll` after a failed append returns to what the log really holds.
 */
export class EntityStore<C extends Command, Event, State> {
  readonly #log: EventLog;
  readonly #entity: EntityType<C, Event, State>;
  readonly #capacity: number;
  readonly #inOrder: boolean;
  // in order of last use
  readonly #once = new Map<string, Snapshot<State>>();
  readonly #often = new Map<string, Snapshot<State>>();
  /** read by `look`, and not loaded yet */
  #looked: string | null = null;

  /** `inOrder`: the log holds the events of an append before their snapshot. A copy of several topics may not. */
  constructor(log: EventLog, entity: EntityType<C, Event, State>, capacity: number, inOrder = true) {
    this.#log = log;
    this.#entity = entity;
    this.#capacity = capacity;
    this.#inOrder = inOrder;
  }

  /** entities in memory */
  get size(): number {
    return this.#once.size + this.#often.size;
  }

  /** Version 0 is an entity of which nothing is known. Throws `value_undecodable` when its events are unreadable. */
  load(entityId: string): Snapshot<State> {
    const known = this.#often.get(entityId) ?? this.#once.get(entityId);
    if (known === undefined) return this.#first(entityId);
    if (this.#looked === entityId) this.#looked = null;
    else {
      this.#once.delete(entityId);
      this.#often.delete(entityId);
      this.#often.set(entityId, known);
    }
    return known;
  }

  /** What `load` is about to give for a command: together they count as one. */
  look(entityId: string): Snapshot<State> {
    const known = this.#often.get(entityId) ?? this.#once.get(entityId);
    if (known !== undefined) return known;
    this.#looked = entityId;
    return this.#first(entityId);
  }

  #first(entityId: string): Snapshot<State> {
    const read = this.#read(entityId);
    this.#once.set(entityId, read);
    return read;
  }

  /** The state of an entity that was loaded, as it is now. */
  keep(entityId: string, snapshot: Snapshot<State>): void {
    const kept = this.#often.has(entityId) ? this.#often : this.#once;
    kept.set(entityId, snapshot);
  }

  /** Forgets the entities used longest ago. Only when all that was decided is appended: the log must hold their state. */
  trim(): void {
    const once = Math.min(ONCE, this.#capacity >> 1);
    forgetEldest(this.#once, once);
    forgetEldest(this.#often, this.#capacity - once);
  }

  forgetAll(): void {
    this.#once.clear();
    this.#often.clear();
  }

  #read(entityId: string): Snapshot<State> {
    const { topics, decider } = this.#entity;
    const key = Buffer.from(entityId, 'utf8');
    const record = this.#log.lastByKey(topics.snapshots, key);
    const snapshot = record?.value ? this.#entity.decodeSnapshot(record.value) : null;
    let { state, version } = snapshot ?? { state: decider.initial, version: 0 };
    // Where events stand before their snapshot, later events of the key stand behind its record.
    const from = this.#inOrder && record && snapshot ? record.seq + 1 : 0;
    for (const { value } of this.#log.byKey(topics.events, key, from)) {
      if (!value) continue;
      const recorded = this.#entity.decodeEvent(value);
      if (recorded.version <= version) continue;
      state = decider.evolve(state, recorded.event);
      version = recorded.version;
    }
    return { state, version };
  }
}

function forgetEldest(kept: Map<string, unknown>, most: number): void {
  for (const eldest of kept.keys()) {
    if (kept.size <= most) break;
    kept.delete(eldest);
  }
}
