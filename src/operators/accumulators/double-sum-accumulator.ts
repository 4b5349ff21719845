import type { Batch, Vec } from '../../core/batch.ts';
import { bitAt } from '../../core/bits.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { VecBuilder } from '../../core/vec.ts';
import type { AggregateFold } from '../../expr/functions.ts';
import type { GrowingColumn } from '../../state/growing-column.ts';
import type { Epoch } from '../operator.ts';
import type { Accumulator, Pairs } from './accumulator.ts';

export interface DoubleSumOptions {
  /** the fold of SUM or AVG over DOUBLE, append input: its accumulator is [sum, number of values] */
  readonly fold: AggregateFold;
  readonly type: SqlType;
  readonly column: number;
  readonly sum: GrowingColumn;
  readonly count: GrowingColumn;
}

/** SUM and AVG of DOUBLE over rows that are only added: the left fold in order of sequence. */
export class DoubleSumAccumulator implements Accumulator {
  readonly #options: DoubleSumOptions;
  #vec: (Vec & { t: 'f64' }) | null = null;
  readonly #out: VecBuilder;

  constructor(options: DoubleSumOptions) {
    this.#options = options;
    this.#out = new VecBuilder(options.type);
  }

  reset(slot: number): void {
    this.#options.sum.f64[slot] = 0;
    this.#options.count.f64[slot] = 0;
  }

  begin(_: Epoch, batch: Batch): void {
    this.#vec = batch.cols[this.#options.column] as Vec & { t: 'f64' };
  }

  absorb({ slot, row }: Pairs, from: number, to: number): void {
    const { v, nulls } = this.#vec as Vec & { t: 'f64' };
    const sum = this.#options.sum.f64;
    const count = this.#options.count.f64;
    for (let k = from; k < to; k++) {
      const i = row[k] as number;
      if (nulls !== null && bitAt(nulls, i)) continue;
      const s = slot[k] as number;
      sum[s] = (sum[s] as number) + (v[i] as number);
      count[s] = (count[s] as number) + 1;
    }
  }

  merge(into: number, from: number): void {
    const sum = this.#options.sum.f64;
    const count = this.#options.count.f64;
    sum[into] = (sum[into] as number) + (sum[from] as number);
    count[into] = (count[into] as number) + (count[from] as number);
  }

  push(slot: number): void {
    const { fold, sum, count } = this.#options;
    this.#out.push(fold.result([sum.f64[slot] as number, BigInt(count.f64[slot] as number)]));
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
