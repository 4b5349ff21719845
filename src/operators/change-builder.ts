import type { Batch, Vec } from '../core/batch.ts';
import { makeBits, setBit } from '../core/bits.ts';
import { Op } from '../core/change.ts';
import type { Column, Schema } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import { VecBuilder, valueAt } from '../core/vec.ts';

/** Collects changes one by one into a batch: for operators whose output is not a shape of their input's columns. */
export class ChangeBuilder {
  readonly #schema: Schema;
  #cols: VecBuilder[];
  #op: Op[] = [];
  #seq: number[] = [];
  #rowtime: number[] = [];
  #noValue: number[] = [];

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#cols = schema.columns.map(c => new VecBuilder(c.type));
  }

  get length(): number {
    return this.#op.length;
  }

  push(op: Op, seq: number, rowtime: number, row: Row): void {
    for (let c = 0; c < this.#cols.length; c++) (this.#cols[c] as VecBuilder).push(row[c] ?? null);
    this.#head(op, seq, rowtime);
  }

  /** Copies physical row i of a batch with the same columns. */
  copy(op: Op, batch: Batch, i: number): void {
    for (let c = 0; c < this.#cols.length; c++) {
      const column = this.#schema.columns[c] as Column;
      (this.#cols[c] as VecBuilder).push(valueAt(batch.cols[c] as Vec, column.type, i));
    }
    this.#head(op, batch.seq[i] as number, batch.rowtime[i] as number);
    if (batch.noValue !== null && ((batch.noValue[i >>> 5] ?? 0) >>> (i & 31)) & 1) {
      this.#noValue.push(this.#op.length - 1);
    }
  }

  #head(op: Op, seq: number, rowtime: number): void {
    this.#op.push(op);
    this.#seq.push(seq);
    this.#rowtime.push(rowtime);
  }

  /** The batch, or null when nothing was collected; a new one is begun. */
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
    this.#cols = this.#schema.columns.map(c => new VecBuilder(c.type));
    this.#op = [];
    this.#seq = [];
    this.#rowtime = [];
    this.#noValue = [];
    return batch;
  }
}
