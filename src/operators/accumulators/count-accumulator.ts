import type { Batch, Vec } from '../../core/batch.ts';
import { BIGINT } from '../../core/sql-type.ts';
import { isNullAt, VecBuilder } from '../../core/vec.ts';
import type { GrowingColumn } from '../../state/growing-column.ts';
import type { Epoch } from '../operator.ts';
import type { Accumulator, Pairs } from './accumulator.ts';

/** COUNT(*) and COUNT(columns): rows in which none of the columns is NULL. State: one number per group. */
export class CountAccumulator implements Accumulator {
  readonly #args: readonly number[];
  readonly #count: GrowingColumn;
  #vecs: readonly Vec[] = [];
  readonly #out = new VecBuilder(BIGINT);

  /** `count` is an f64 column, `args` are columns of the input. */
  constructor(args: readonly number[], count: GrowingColumn) {
    this.#args = args;
    this.#count = count;
  }

  reset(slot: number): void {
    this.#count.f64[slot] = 0;
  }

  begin(_: Epoch, batch: Batch): void {
    // a column without NULLs counts every row
    this.#vecs = this.#args
      .map(c => batch.cols[c] as Vec)
      .filter(vec => vec.t === 'val' || vec.nulls !== null);
  }

  absorb({ slot, row, sign }: Pairs, from: number, to: number): void {
    const count = this.#count.f64;
    if (this.#vecs.length === 0) {
      for (let k = from; k < to; k++) {
        const s = slot[k] as number;
        count[s] = (count[s] as number) + (sign[k] as number);
      }
      return;
    }
    for (let k = from; k < to; k++) {
      if (this.#vecs.some(vec => isNullAt(vec, row[k] as number))) continue;
      const s = slot[k] as number;
      count[s] = (count[s] as number) + (sign[k] as number);
    }
  }

  merge(into: number, from: number): void {
    const count = this.#count.f64;
    count[into] = (count[into] as number) + (count[from] as number);
  }

  push(slot: number): void {
    this.#out.pushInteger(this.#count.f64[slot] as number);
  }

  pushAll(slots: Int32Array, n: number): void {
    if (this.#out.length === 0) this.#out.restart(n);
    for (let k = 0; k < n; k++) this.push(slots[k] as number);
  }

  pushNull(): void {
    this.#out.push(null);
  }

  take(): Vec {
    const vec = this.#out.build();
    this.#out.restart(0);
    return vec;
  }
}
