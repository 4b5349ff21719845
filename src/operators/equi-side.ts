import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Schema } from '../core/schema.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import type { JoinKeys } from './join-keys.ts';
import { KeyEncoder } from './key-encoder.ts';
import type { Epoch } from './operator.ts';
import { RowColumns } from './row-columns.ts';

const NONE = -1;
const NO_BYTES = new Uint8Array(0);
/** prefixes of the table of equal rows: a row with bytes, and the row that is one NULL */
const BYTES = 0;
const NULL_ROW = 1;

export interface EquiSideOptions {
  readonly schema: Schema;
  readonly keys: JoinKeys;
  /** unmatched rows of this side are given with NULLs */
  readonly preserved: boolean;
  /** where the keys of both sides stand; this side has two columns of it */
  readonly index: StateTable;
  readonly rows: StateTable;
  /** each distinct row once; null: rows are taken away by their slot only */
  readonly distinct: StateTable | null;
}

export interface EquiSideState {
  readonly rows: StateTableState;
  readonly distinct: StateTableState | null;
  readonly arrivals: number;
}

/**
 * The rows of one side of an equi-join. A row's key is its arrival; the rows of one join key are a chain in order of
 * arrival, equal rows a chain from the last to the first.
 */
export class EquiSide {
  readonly preserved: boolean;
  readonly rows: RowColumns;
  readonly keys: JoinKeys;
  readonly #table: StateTable;
  readonly #distinct: StateTable | null;
  readonly #index: StateTable;
  readonly #whole: KeyEncoder;
  readonly #rowtime: GrowingColumn;
  /** how many rows a row meets */
  readonly #met: GrowingColumn;
  /** slot of the join key, or -1: a NULL among its keys, it meets nothing */
  readonly #key: GrowingColumn;
  readonly #next: GrowingColumn;
  readonly #previous: GrowingColumn;
  /** the equal row that arrived before */
  readonly #below: GrowingColumn;
  readonly #first: GrowingColumn;
  readonly #last: GrowingColumn;
  /** the last arrived of equal rows */
  readonly #top: GrowingColumn | null;
  #arrivals = 0;

  constructor(options: EquiSideOptions) {
    this.preserved = options.preserved;
    this.keys = options.keys;
    this.#table = options.rows;
    this.#distinct = options.distinct;
    this.#index = options.index;
    this.#whole = new KeyEncoder(options.schema.columns.map(c => c.type));
    this.rows = new RowColumns(options.schema, this.#table);
    this.#rowtime = this.#table.column('f64');
    this.#met = this.#table.column('i32');
    this.#key = this.#table.column('i32');
    this.#next = this.#table.column('i32');
    this.#previous = this.#table.column('i32');
    this.#below = this.#table.column('i32');
    this.#first = options.index.column('i32');
    this.#last = options.index.column('i32');
    this.#top = this.#distinct?.column('i32') ?? null;
  }

  begin(epoch: Epoch, batch: Batch): void {
    this.#whole.begin(batch.cols);
    this.keys.begin(epoch, batch, i => batch.op?.[i] !== Op.RETRACT);
  }

  rowtime(slot: number): number {
    return this.#rowtime.f64[slot] as number;
  }

  met(slot: number): number {
    return this.#met.i32[slot] as number;
  }

  /** So many more (or less) rows are met; how many there were before. */
  countMet(slot: number, by: number): number {
    const before = this.#met.i32[slot] as number;
    this.#met.i32[slot] = before + by;
    this.#table.touch(slot);
    return before;
  }

  keyOf(slot: number): number {
    return this.#key.i32[slot] as number;
  }

  /** The join key has no rows of this side. */
  beginKey(key: number): void {
    this.#first.i32[key] = NONE;
    this.#last.i32[key] = NONE;
  }

  hasRows(key: number): boolean {
    return this.#first.i32[key] !== NONE;
  }

  /** The rows of a join key in order of arrival; none for -1. */
  meeting(key: number): number[] {
    const slots: number[] = [];
    let at = key === NONE ? NONE : (this.#first.i32[key] as number);
    for (; at !== NONE; at = this.#next.i32[at] as number) slots.push(at);
    return slots;
  }

  inOrderOfArrival(slots: number[]): number[] {
    const { index } = this.#table;
    return slots.sort((a, b) => index.prefixOf(a) - index.prefixOf(b));
  }

  /** Keeps row i under a join key, or under none (-1); the slot. It meets nothing yet. */
  add(batch: Batch, i: number, key: number): number {
    const slot = this.#table.append(this.#arrivals++, NO_BYTES, 0, 0);
    this.rows.put(slot, batch, i);
    this.#rowtime.f64[slot] = batch.rowtime[i] as number;
    this.#met.i32[slot] = 0;
    this.#key.i32[slot] = key;
    if (key !== NONE) this.#chain(slot, key);
    if (this.#distinct === null || this.#top === null) return slot;
    const row = this.#encode(i)
      ? this.#distinct.slot(BYTES, this.#whole.bytes, this.#whole.start, this.#whole.end)
      : this.#distinct.slot(NULL_ROW, NO_BYTES, 0, 0);
    this.#below.i32[slot] = this.#distinct.index.isNew ? NONE : (this.#top.i32[row] as number);
    this.#top.i32[row] = slot;
    return slot;
  }

  /** Takes the last arrived row that equals row i out of all chains: its slot, to be let go with `drop`; or -1. */
  take(i: number): number {
    if (this.#distinct === null || this.#top === null) return NONE;
    const row = this.#encode(i)
      ? this.#distinct.find(BYTES, this.#whole.bytes, this.#whole.start, this.#whole.end)
      : this.#distinct.find(NULL_ROW, NO_BYTES, 0, 0);
    if (row < 0) return NONE;
    const slot = this.#top.i32[row] as number;
    const below = this.#below.i32[slot] as number;
    if (below === NONE) this.#distinct.drop(row);
    else {
      this.#top.i32[row] = below;
      this.#distinct.touch(row);
    }
    if (this.#key.i32[slot] !== NONE) this.#unchain(slot);
    return slot;
  }

  /** Takes a row out of its chain and lets go of it; for a side without distinct rows. */
  remove(slot: number): void {
    if (this.#key.i32[slot] !== NONE) this.#unchain(slot);
    this.#table.drop(slot);
  }

  drop(slot: number): void {
    this.#table.drop(slot);
  }

  #encode(i: number): boolean {
    return this.#whole.encode(i);
  }

  #chain(slot: number, key: number): void {
    const last = this.#last.i32[key] as number;
    this.#previous.i32[slot] = last;
    this.#next.i32[slot] = NONE;
    if (last === NONE) this.#first.i32[key] = slot;
    else {
      this.#next.i32[last] = slot;
      this.#table.touch(last);
    }
    this.#last.i32[key] = slot;
    this.#index.touch(key);
  }

  #unchain(slot: number): void {
    const key = this.#key.i32[slot] as number;
    const previous = this.#previous.i32[slot] as number;
    const next = this.#next.i32[slot] as number;
    if (previous === NONE) this.#first.i32[key] = next;
    else this.#next.i32[previous] = next;
    if (next === NONE) this.#last.i32[key] = previous;
    else this.#previous.i32[next] = previous;
    this.#index.touch(key);
    if (previous !== NONE) this.#table.touch(previous);
    if (next !== NONE) this.#table.touch(next);
  }

  state(part?: ChangedPart): EquiSideState {
    return {
      rows: this.#table.state(part),
      distinct: this.#distinct?.state(part) ?? null,
      arrivals: this.#arrivals,
    };
  }

  load({ rows, distinct, arrivals }: EquiSideState): void {
    this.#table.load(rows);
    if (distinct !== null) this.#distinct?.load(distinct);
    this.#arrivals = arrivals;
  }

  size(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#table.rows, bytes: this.#table.bytes + (this.#distinct?.bytes ?? 0) };
  }
}
