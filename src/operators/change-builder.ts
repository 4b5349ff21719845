import type { Batch, Vec } from '../core/batch.ts';
import { makeBits, setBit } from '../core/bits.ts';
import { Op } from '../core/change.ts';
import { MillraceError } from '../core/errors.ts';
import type { Schema } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import { VecBuilder } from '../core/vec.ts';
import type { RowColumns } from './row-columns.ts';

const MAX_CAPACITY = 16_384;
/** How many changes an operator may give in one epoch, and what helps where it would be more. */
export interface ChangeLimit {
  readonly most: number;
  readonly hint: string;
  /** whether a build is to go on with fewer records in an epoch */
  readonly fewerHelp: boolean;
}

/** An epoch changes more rows than an operator may give: with fewer records in it, it may do. */
export class TooManyChanges extends MillraceError {
  readonly limit: ChangeLimit;

  constructor(limit: ChangeLimit) {
    const most = limit.most.toLocaleString('en');
    super('limit_exceeded', `a few records change more than ${most} rows of the view`, { hint: limit.hint });
    this.limit = limit;
  }
}

/** Where one row may change all others: what comes after it would have no room in memory. */
export const WINDOW_LIMIT: ChangeLimit = {
  most: 1_000_000,
  hint: 'a window function over all rows changes them all: give it a PARTITION BY',
  // each record changes all rows: a build would not come to its end
  fewerHelp: false,
};

/** Where one row meets all that have its key. A row to which a million others refer may change. */
export const JOIN_LIMIT: ChangeLimit = {
  most: 4_000_000,
  hint: 'very many rows of both sides have one key: join on more columns, filter a side before the join, or GROUP BY the key first',
  fewerHelp: true,
};

/** Collects changes one by one into a batch: for operators whose output is not a shape of their input's columns. */
export class ChangeBuilder {
  readonly #schema: Schema;
  readonly #limit: ChangeLimit | null;
  #cols: VecBuilder[];
  #op: Op[] = [];
  #seq: number[] = [];
  #rowtime: number[] = [];
  #noValue: number[] = [];
  /** the column that comes next in the change begun */
  #at = 0;

  /** Beyond its limit it throws {@link TooManyChanges}: the view is set aside when a single record does it, others go on. */
  constructor(schema: Schema, limit: ChangeLimit | null = null) {
    this.#schema = schema;
    this.#limit = limit;
    this.#cols = schema.columns.map(c => new VecBuilder(c.type));
  }

  get length(): number {
    return this.#op.length;
  }

  push(op: Op, seq: number, rowtime: number, row: Row): void {
    for (let c = 0; c < this.#cols.length; c++) (this.#cols[c] as VecBuilder).push(row[c] ?? null);
    this.#head(op, seq, rowtime);
  }

  /** Begins a change whose row comes in parts, by `add...`, in order of the columns. */
  begin(op: Op, seq: number, rowtime: number): void {
    this.#at = 0;
    this.#head(op, seq, rowtime);
  }

  /** A row that state keeps; a slot of -1 is NULLs. */
  addKept(rows: RowColumns, slot: number): void {
    this.#at = rows.pushTo(this.#cols, this.#at, slot);
  }

  /** Physical row i of columns of batches. */
  addVecs(vecs: readonly Vec[], i: number): void {
    for (let c = 0; c < vecs.length; c++) {
      (this.#cols[this.#at++] as VecBuilder).pushFrom(vecs[c] as Vec, i);
    }
  }

  addValues(values: Row): void {
    for (let c = 0; c < values.length; c++) (this.#cols[this.#at++] as VecBuilder).push(values[c] ?? null);
  }

  /** Copies physical row i of a batch with the same columns. */
  copy(op: Op, batch: Batch, i: number): void {
    for (let c = 0; c < this.#cols.length; c++) {
      (this.#cols[c] as VecBuilder).pushFrom(batch.cols[c] as Vec, i);
    }
    this.#head(op, batch.seq[i] as number, batch.rowtime[i] as number);
    if (batch.noValue !== null && ((batch.noValue[i >>> 5] ?? 0) >>> (i & 31)) & 1) {
      this.#noValue.push(this.#op.length - 1);
    }
  }

  #head(op: Op, seq: number, rowtime: number): void {
    const limit = this.#limit;
    if (limit !== null && this.#op.length >= limit.most) throw new TooManyChanges(limit);
    this.#op.push(op);
    this.#seq.push(seq);
    this.#rowtime.push(rowtime);
  }

  /** The batch, or null when nothing was collected; a new one is begun, which will take the memory of this one. */
  take(): Batch | null {
    const n = this.#op.length;
    if (n === 0) return null;
    const noValue = this.#noValue.length === 0 ? null : makeBits(n);
    if (noValue !== null) for (const i of this.#noValue) setBit(noValue, i);
    const batch: Batch = {
      schema: this.#schema,
      n,
      cols: this.#cols.map(c => c.build()),
      seq: Float64Array.from(this.#seq),
      rowtime: Float64Array.from(this.#rowtime),
      op: this.#op.every(op => op === Op.ADD) ? null : Int8Array.from(this.#op),
      noValue,
      sel: null,
    };
    if (n > MAX_CAPACITY) this.#cols = this.#schema.columns.map(c => new VecBuilder(c.type, MAX_CAPACITY));
    else for (const column of this.#cols) column.restart(0);
    this.#op = [];
    this.#seq = [];
    this.#rowtime = [];
    this.#noValue = [];
    return batch;
  }
}
