import type { Vec } from '../core/batch.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import type { KeyReader } from './key-readers.ts';
import { KeyedTable } from './keyed-table.ts';

export const NO_SESSION = -1;
const NO_BYTES = new Uint8Array(0);

export interface SessionChainsState {
  readonly keys: StateTableState;
  readonly sessions: StateTableState;
  readonly made: number;
}

/** Sessions that lie side by side in one chain: the first and the last of them, and the time that they cover together. */
export interface Stretch {
  /** or NO_SESSION: there is none */
  readonly first: number;
  readonly last: number;
  /** the session before them, after which one that stands alone would come; or NO_SESSION */
  readonly before: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Sessions per key: a chain in order of start, no two of which lie within the gap. Rows come near the end of time, so a
 * chain is searched from its last session. State: one row per key, one row per session.
 */
export class SessionChains {
  /** of a session: its key, first and last event time, and the largest event time of its rows, ms */
  readonly key: GrowingColumn;
  readonly start: GrowingColumn;
  readonly end: GrowingColumn;
  readonly rowtime: GrowingColumn;
  readonly #keys: KeyedTable;
  readonly #sessions: StateTable;
  readonly #last: GrowingColumn;
  readonly #next: GrowingColumn;
  readonly #previous: GrowingColumn;
  #made = 0;

  constructor(types: readonly SqlType[], keys: StateTable, sessions: StateTable) {
    this.#keys = new KeyedTable(types, keys);
    this.#last = keys.column('i32');
    this.#sessions = sessions;
    this.key = sessions.column('i32');
    this.start = sessions.column('f64');
    this.end = sessions.column('f64');
    this.rowtime = sessions.column('f64');
    this.#next = sessions.column('i32');
    this.#previous = sessions.column('i32');
  }

  begin(vecs: readonly Vec[]): void {
    this.#keys.encoder.begin(vecs);
  }

  hasNull(i: number): boolean {
    return this.#keys.encoder.hasNull(i);
  }

  /** The slot of the key of row i, or -1. */
  find(i: number): number {
    return this.#keys.find(0, i);
  }

  /** The slot of the key of row i, made when unknown. */
  keyOf(vecs: readonly Vec[], i: number): number {
    const key = this.#keys.slot(0, i);
    if (this.#keys.table.index.isNew) {
      this.#keys.keep(key, vecs, i);
      this.#last.i32[key] = NO_SESSION;
    }
    return key;
  }

  /** The sessions of a key within a gap of a time; a key of -1 has none. */
  near(key: number, time: number, gap: number): Stretch {
    const previous = this.#previous.i32;
    const starts = this.start.f64;
    const ends = this.end.f64;
    let at = key < 0 ? NO_SESSION : (this.#last.i32[key] as number);
    while (at !== NO_SESSION && (starts[at] as number) - gap > time) at = previous[at] as number;
    let first = NO_SESSION;
    const last = at;
    for (; at !== NO_SESSION && (ends[at] as number) + gap >= time; at = previous[at] as number) first = at;
    if (first === NO_SESSION) return { first, last: first, before: at, start: time, end: time };
    return {
      first,
      last,
      before: at,
      start: Math.min(time, starts[first] as number),
      end: Math.max(time, ends[last] as number),
    };
  }

  next(session: number): number {
    return this.#next.i32[session] as number;
  }

  /** A session of one row, behind `before` in the chain of its key. */
  add(key: number, before: number, time: number): number {
    const session = this.#sessions.slot(this.#made++, NO_BYTES, 0, 0);
    const next = before === NO_SESSION ? this.#first(key) : this.next(before);
    this.key.i32[session] = key;
    this.start.f64[session] = time;
    this.end.f64[session] = time;
    this.rowtime.f64[session] = time;
    this.#join(key, before, session);
    this.#join(key, session, next);
    return session;
  }

  /** Takes a session out of its chain; its slot stays until `drop`. */
  unlink(session: number): void {
    this.#join(
      this.key.i32[session] as number,
      this.#previous.i32[session] as number,
      this.#next.i32[session] as number,
    );
  }

  drop(session: number): void {
    this.#sessions.drop(session);
  }

  /** `after` comes behind `before`; either may be the end of the chain. */
  #join(key: number, before: number, after: number): void {
    if (before !== NO_SESSION) {
      this.#next.i32[before] = after;
      this.touch(before);
    }
    if (after !== NO_SESSION) {
      this.#previous.i32[after] = before;
      this.touch(after);
    } else {
      this.#last.i32[key] = before;
      this.#keys.table.touch(key);
    }
  }

  /** Says that something of a session changes. */
  touch(session: number): void {
    this.#sessions.touch(session);
  }

  #first(key: number): number {
    let at = this.#last.i32[key] as number;
    if (at === NO_SESSION) return at;
    for (let before = this.#previous.i32[at] as number; before !== NO_SESSION; ) {
      at = before;
      before = this.#previous.i32[at] as number;
    }
    return at;
  }

  /** Drops per key the earliest sessions as long as they are `gone`, told each with the next one; keys without any go. */
  sweep(gone: (session: number, next: number) => boolean): void {
    for (const key of this.#keys.table.slots()) {
      let at = this.#first(key);
      while (at !== NO_SESSION) {
        const next = this.next(at);
        if (!gone(at, next)) break;
        this.unlink(at);
        this.drop(at);
        at = next;
      }
      if (at === NO_SESSION) this.#keys.table.drop(key);
    }
  }

  /** Collects keys, by their slots, into columns. */
  reader(): KeyReader {
    return this.#keys.reader();
  }

  state(part?: ChangedPart): SessionChainsState {
    return { keys: this.#keys.table.state(part), sessions: this.#sessions.state(part), made: this.#made };
  }

  load({ keys, sessions, made }: SessionChainsState): void {
    this.#keys.table.load(keys);
    this.#sessions.load(sessions);
    this.#made = made;
  }

  size(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#sessions.rows, bytes: this.#keys.table.bytes + this.#sessions.bytes };
  }
}
