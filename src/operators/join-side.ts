import type { Batch, Vec } from '../core/batch.ts';
import type { Row } from '../core/value.ts';
import { valueAt } from '../core/vec.ts';
import type { Expr } from '../expr/expr.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import type { JoinKeys } from './join-keys.ts';
import { RowColumns, valueColumn } from './row-columns.ts';
import { SlotHeap } from './slot-heap.ts';

const NONE = -1;
const NO_BYTES = new Uint8Array(0);
const NOTHING: readonly number[] = [];

/** bits of a row's status; a slot without KEPT and QUEUED is let go */
const KEPT = 1;
const WAITING = 2;
const QUEUED = 4;

export interface JoinSideOptions {
  readonly input: { readonly schema: Batch['schema'] };
  readonly exprs: readonly Expr[];
  readonly keys: JoinKeys;
  readonly table: StateTable;
  /** where the keys of both sides stand; this side has two columns of it */
  readonly index: StateTable;
  /** how far before and after its time a row of this side looks for the other's, ms */
  readonly before: number;
  readonly after: number;
  /** unmatched rows of this side are given with NULLs */
  readonly preserved: boolean;
  /** how long a row is kept, and how long it waits for its null row, ms of event time */
  readonly keep: number;
  readonly wait: number;
}

export interface JoinSideState {
  readonly table: StateTableState;
  readonly laneTime: number;
}

/**
 * The rows of one side of a stream-stream join. A row's key is its arrival, which never repeats. The rows of one join key
 * are a chain in the order of (time, arrival), so that those near a time are found from its end; two heaps in the same
 * order say which row is kept no longer and whose null row is due.
 */
export class JoinSide {
  readonly keys: JoinKeys;
  readonly before: number;
  readonly after: number;
  readonly preserved: boolean;
  readonly rows: RowColumns;
  laneTime = Number.NEGATIVE_INFINITY;
  readonly #keep: number;
  readonly #wait: number;
  readonly #table: StateTable;
  readonly #index: StateTable;
  readonly #time: GrowingColumn;
  readonly #status: GrowingColumn;
  /** slot of the join key in the index of both sides; neighbours in its chain */
  readonly #key: GrowingColumn;
  readonly #next: GrowingColumn;
  readonly #previous: GrowingColumn;
  /** where the values of the join key stand: a column of the row, or of their own */
  readonly #values: readonly (number | GrowingColumn)[];
  readonly #exprs: readonly Expr[];
  readonly #first: GrowingColumn;
  readonly #last: GrowingColumn;
  readonly #kept = new SlotHeap((a, b) => this.isBefore(a, b));
  readonly #queue = new SlotHeap((a, b) => this.isBefore(a, b));

  constructor(options: JoinSideOptions) {
    this.keys = options.keys;
    this.before = options.before;
    this.after = options.after;
    this.preserved = options.preserved;
    this.#keep = options.keep;
    this.#wait = options.wait;
    this.#exprs = options.exprs;
    const { table } = options;
    this.#table = table;
    this.#index = options.index;
    this.#time = table.column('f64');
    this.#status = table.column('i32');
    this.#key = table.column('i32');
    this.#next = table.column('i32');
    this.#previous = table.column('i32');
    this.rows = new RowColumns(options.input.schema, table);
    this.#values = options.exprs.map(e => (e.node === 'column' ? e.index : valueColumn(table, e.type)));
    this.#first = options.index.column('i32');
    this.#last = options.index.column('i32');
  }

  time(slot: number): number {
    return this.#time.f64[slot] as number;
  }

  isBefore(a: number, b: number): boolean {
    const { f64 } = this.#time;
    const difference = (f64[a] as number) - (f64[b] as number);
    return difference < 0 || (difference === 0 && this.arrival(a) < this.arrival(b));
  }

  arrival(slot: number): number {
    return this.#table.index.prefixOf(slot);
  }

  /** The join key has no rows of this side. */
  beginKey(key: number): void {
    this.#first.i32[key] = NONE;
    this.#last.i32[key] = NONE;
  }

  hasRows(key: number): boolean {
    return this.#first.i32[key] !== NONE;
  }

  /** Whether a row of this time may still meet later ones. */
  keeps(time: number): boolean {
    return time > this.laneTime - this.#keep;
  }

  /** Whether the null row of a row of this time is due. */
  isDue(time: number, jointTime: number): boolean {
    return jointTime > time + this.#wait;
  }

  /** Keeps row i, the latest to arrive; `waits`: for its null row. */
  add(key: number, batch: Batch, i: number, { arrival, waits }: { arrival: number; waits: boolean }): void {
    const slot = this.#table.append(arrival, NO_BYTES, 0, 0);
    this.rows.put(slot, batch, i);
    for (let c = 0; c < this.#values.length; c++) {
      const at = this.#values[c];
      if (typeof at !== 'object') continue;
      at.set(slot, valueAt(this.keys.vecs[c] as Vec, (this.#exprs[c] as Expr).type, i));
    }
    this.#time.f64[slot] = batch.rowtime[i] as number;
    this.#status.i32[slot] = waits ? KEPT | WAITING | QUEUED : KEPT;
    this.#chain(slot, key);
    this.#kept.push(slot);
    if (waits) this.#queue.push(slot);
  }

  #chain(slot: number, key: number): void {
    this.#key.i32[slot] = key;
    const time = this.time(slot);
    let previous = this.#last.i32[key] as number;
    while (previous !== NONE && this.time(previous) > time) previous = this.#previous.i32[previous] as number;
    const next = (previous === NONE ? this.#first.i32[key] : this.#next.i32[previous]) as number;
    this.#previous.i32[slot] = previous;
    this.#next.i32[slot] = next;
    if (previous === NONE) this.#first.i32[key] = slot;
    else this.#next.i32[previous] = slot;
    if (next === NONE) this.#last.i32[key] = slot;
    else this.#previous.i32[next] = slot;
    this.#touchChain(key, previous, next);
  }

  #touchChain(key: number, previous: number, next: number): void {
    this.#index.touch(key);
    if (previous !== NONE) this.#table.touch(previous);
    if (next !== NONE) this.#table.touch(next);
  }

  #unchain(slot: number): void {
    const key = this.#key.i32[slot] as number;
    const previous = this.#previous.i32[slot] as number;
    const next = this.#next.i32[slot] as number;
    if (previous === NONE) this.#first.i32[key] = next;
    else this.#next.i32[previous] = next;
    if (next === NONE) this.#last.i32[key] = previous;
    else this.#previous.i32[next] = previous;
    this.#touchChain(key, previous, next);
  }

  /** The rows of a key with times in [from, to], in order. */
  near(key: number, from: number, to: number): readonly number[] {
    let at = this.#last.i32[key] as number;
    if (at === NONE) return NOTHING;
    const slots: number[] = [];
    for (; at !== NONE && this.time(at) >= from; at = this.#previous.i32[at] as number) {
      if (this.time(at) <= to) slots.push(at);
    }
    return slots.reverse();
  }

  /** A row that met another gives no null row. */
  matched(slot: number): void {
    (this.#status.i32[slot] as number) &= ~WAITING;
    this.#table.touch(slot);
  }

  /** Lets go of rows that the lane time has passed; calls back for each key that has no row of this side any more. */
  expire(emptied: (key: number) => void): void {
    for (
      let slot = this.#kept.first;
      slot !== NONE && !this.keeps(this.time(slot));
      slot = this.#kept.first
    ) {
      this.#kept.pop();
      this.#unchain(slot);
      const key = this.#key.i32[slot] as number;
      this.#drop(slot, KEPT);
      if (!this.hasRows(key)) emptied(key);
    }
  }

  /** Whether `takeDue` has something to look at. */
  hasDue(jointTime: number): boolean {
    const slot = this.#queue.first;
    return slot !== NONE && this.isDue(this.time(slot), jointTime);
  }

  /** Takes the rows whose null row is due, in order; each is let go with `given` after it was read. */
  takeDue(jointTime: number): number[] {
    const due: number[] = [];
    for (let slot = this.#queue.first; slot !== NONE; slot = this.#queue.first) {
      if (!this.isDue(this.time(slot), jointTime)) break;
      this.#queue.pop();
      if ((this.#status.i32[slot] as number) & WAITING) due.push(slot);
      else this.#drop(slot, QUEUED);
    }
    return due;
  }

  given(slot: number): void {
    this.#drop(slot, QUEUED | WAITING);
  }

  #drop(slot: number, bits: number): void {
    const status = (this.#status.i32[slot] as number) & ~bits;
    this.#status.i32[slot] = status;
    this.#table.touch(slot);
    if ((status & (KEPT | QUEUED)) === 0) this.#table.drop(slot);
  }

  /** The values on which a row meets others. */
  keyOf(slot: number): Row {
    return this.#values.map((at, c) =>
      typeof at === 'number' ? this.rows.get(slot, at) : at.get((this.#exprs[c] as Expr).type, slot),
    );
  }

  state(part?: ChangedPart): JoinSideState {
    return { table: this.#table.state(part), laneTime: this.laneTime };
  }

  load({ table, laneTime }: JoinSideState): void {
    this.#table.load(table);
    this.laneTime = laneTime;
    for (const slot of this.#table.slots()) {
      const status = this.#status.i32[slot] as number;
      if (status & KEPT) this.#kept.push(slot);
      if (status & QUEUED) this.#queue.push(slot);
    }
  }

  size(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#table.rows, bytes: this.#table.bytes };
  }
}
