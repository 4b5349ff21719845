import type { EventLog } from '../log/event-log.ts';
import type { Command } from './command.ts';
import type { EntityType, Snapshot } from './entity-type.ts';

/**
 * The current state of entities: from memory if touched of late, else from the last snapshot and the events after it.
 * Sees accepted appends, durable or not; `forgetAll` after a failed append returns to what the log really holds.
 */
export class EntityStore<C extends Command, Event, State> {
  readonly #log: EventLog;
  readonly #entity: EntityType<C, Event, State>;
  readonly #capacity: number;
  readonly #inOrder: boolean;
  // in order of last use
  readonly #recent = new Map<string, Snapshot<State>>();

  /** `inOrder`: the log holds the events of an append before their snapshot. A copy of several topics may not. */
  constructor(log: EventLog, entity: EntityType<C, Event, State>, capacity: number, inOrder = true) {
    this.#log = log;
    this.#entity = entity;
    this.#capacity = capacity;
    this.#inOrder = inOrder;
  }

  /** entities in memory */
  get size(): number {
    return this.#recent.size;
  }

  /** Version 0 is an entity of which nothing is known. Throws `value_undecodable` when its events are unreadable. */
  load(entityId: string): Snapshot<State> {
    const known = this.#recent.get(entityId);
    const loaded = known ?? this.#read(entityId);
    this.keep(entityId, loaded);
    return loaded;
  }

  keep(entityId: string, snapshot: Snapshot<State>): void {
    this.#recent.delete(entityId);
    this.#recent.set(entityId, snapshot);
  }

  /** Forgets the entities used longest ago. Only when all that was decided is appended: the log must hold their state. */
  trim(): void {
    let excess = this.#recent.size - this.#capacity;
    for (const eldest of this.#recent.keys()) {
      if (excess-- <= 0) break;
      this.#recent.delete(eldest);
    }
  }

  forgetAll(): void {
    this.#recent.clear();
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
