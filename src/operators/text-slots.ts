import type { Vec } from '../core/batch.ts';
import type { PoolKeys, SlicePool } from '../core/pool.ts';
import type { KeyLookups } from '../state/key-lookups.ts';
import type { KeyedTable } from './keyed-table.ts';
import { WindowSlots } from './window-slots.ts';

export interface TextColumn {
  readonly v: Int32Array;
  readonly pool: SlicePool;
}

/** Rows on their way into groups by one text, which is never NULL, and the start of a window (or 0). */
export interface TextRows {
  /** the key columns: the one text */
  readonly keys: readonly Vec[];
  readonly rows: Int32Array;
  readonly starts: Float64Array;
  readonly n: number;
}

export interface TextGroups {
  /** whether a window has no groups yet */
  isNew(start: number): boolean;
  /** a group was made for row i of the keys */
  begin(slot: number, start: number, keys: readonly Vec[], i: number): void;
}

/** Finds or makes the groups of many rows at once: the everyday key. The encoder of the table has begun the keys. */
export class TextSlots {
  readonly #keyed: KeyedTable;
  readonly #groups: TextGroups;
  readonly #numbered = new WindowSlots();
  readonly #lookups: KeyLookups;

  constructor(keyed: KeyedTable, groups: TextGroups) {
    this.#keyed = keyed;
    this.#lookups = keyed.table.index.lookups();
    this.#groups = groups;
  }

  /** The groups of the rows into `slots`. */
  find({ pool, v }: TextColumn, rows: TextRows, slots: Int32Array): void {
    const numbers = pool.keys(this);
    if (numbers !== null) {
      this.#findByNumber(numbers, v, rows, slots);
      return;
    }
    this.#numbered.clear();
    const lookups = this.#lookups;
    for (let from = 0; from < rows.n; from += lookups.room) {
      this.#findByBytes(pool, v, rows, from, slots);
    }
  }

  /** Rows from `from` on, as many as are looked up together. */
  #findByBytes(pool: SlicePool, v: Int32Array, part: TextRows, from: number, slots: Int32Array): void {
    const { rows, starts, keys } = part;
    const lookups = this.#lookups;
    const { index } = this.#keyed.table;
    const { length } = pool.data;
    const to = Math.min(part.n, from + lookups.room);
    for (let k = from; k < to; k++) {
      const id = v[rows[k] as number] as number;
      lookups.set(k - from, starts[k] as number, pool.start[id] as number, pool.end[id] as number);
    }
    index.prepare(lookups, pool.data, to - from);
    index.findAll(lookups, pool.data, to - from, slots, from);
    for (let k = from; k < to; k++) {
      if ((slots[k] as number) >= 0) continue;
      // text that does not stand in the records lies behind their bytes
      const slot =
        (lookups.start[k - from] as number) < length
          ? index.insertPrepared(lookups, pool.data, k - from)
          : this.#keyed.slot(starts[k] as number, rows[k] as number);
      if (index.isNew) this.#groups.begin(slot, starts[k] as number, keys, rows[k] as number);
      slots[k] = slot;
    }
  }

  /** Where others group by the column too, its texts are numbered. */
  #findByNumber(numbers: PoolKeys, v: Int32Array, part: TextRows, slots: Int32Array): void {
    const { rows, starts, keys, n } = part;
    const keyed = this.#keyed;
    const { index } = keyed.table;
    const { known } = numbers;
    for (let k = 0; k < n; k++) {
      const id = v[rows[k] as number] as number;
      if (known[id] === 0) numbers.of(id);
    }
    this.#numbered.begin(numbers.generation, numbers.dictionary.size);
    let start = Number.NaN;
    let ofWindow = NONE;
    let complete = false;
    for (let k = 0; k < n; k++) {
      if (starts[k] !== start) {
        start = starts[k] as number;
        ({ slots: ofWindow, complete } = this.#numbered.of(start, this.#groups.isNew(start)));
      }
      const i = rows[k] as number;
      const number = known[v[i] as number] as number;
      let slot = (ofWindow[number] as number) - 1;
      if (slot < 0) {
        slot = complete ? keyed.append(start, i) : keyed.slot(start, i);
        ofWindow[number] = slot + 1;
        if (index.isNew) this.#groups.begin(slot, start, keys, i);
      }
      slots[k] = slot;
    }
  }

  /** A group of the window was made by somebody else. */
  spoil(start: number): void {
    this.#numbered.spoil(start);
  }

  /** The groups of the window are gone. */
  drop(start: number): void {
    this.#numbered.drop(start);
  }

  get bytes(): number {
    return this.#numbered.bytes;
  }

  clear(): void {
    this.#numbered.clear();
  }
}

const NONE: Int32Array = new Int32Array(0);
