import { assert } from '../../core/assert.ts';
import type { Batch, Vec } from '../../core/batch.ts';
import { bitAt } from '../../core/bits.ts';
import type { SqlType } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { VecBuilder, valueAt, wordsOf } from '../../core/vec.ts';
import type { AggregateFold } from '../../expr/functions.ts';
import type { GrowingColumn } from '../../state/growing-column.ts';
import type { Epoch } from '../operator.ts';
import type { RowContext } from '../row-context.ts';
import type { Accumulator, Pairs } from './accumulator.ts';

export interface SumAccumulatorOptions {
  /** the fold of SUM or AVG: its accumulator is [sum, number of values] */
  readonly fold: AggregateFold;
  readonly type: SqlType;
  /** the argument: a column of the input */
  readonly column: number;
  readonly argType: SqlType;
  /** f64: the sum, exact below 2^53; NaN of a group that is in `large` */
  readonly sum: GrowingColumn;
  /** f64: how many values, where their number decides the result (NULL of none, the mean), else null */
  readonly count: GrowingColumn | null;
  /** rare: the fold's own accumulator of groups whose sum has left the exact range */
  readonly large: GrowingColumn;
  /** the sum is the result when it is at most this; null: the fold makes the result (AVG) */
  readonly limit: number | null;
  /** reports for the fold */
  readonly rows: RowContext;
}

const EXACT = Number.MAX_SAFE_INTEGER;

/**
 * SUM and AVG of INT, BIGINT and DECIMAL(p <= 18): whole numbers, summed in doubles as long as every sum is exact and in
 * range; a group that leaves the range goes on with the fold's bigints, which also report what does not fit.
 */
export class SumAccumulator implements Accumulator {
  readonly #options: SumAccumulatorOptions;
  readonly #limit: number;
  readonly #emptyIsNull: boolean;
  #epoch: Epoch | null = null;
  #batch: Batch | null = null;
  readonly #out: VecBuilder;

  constructor(options: SumAccumulatorOptions) {
    this.#options = options;
    this.#limit = options.limit ?? EXACT;
    this.#emptyIsNull = options.fold.result(options.fold.init()) === null;
    this.#out = new VecBuilder(options.type);
  }

  reset(slot: number): void {
    const { sum, count, large } = this.#options;
    sum.f64[slot] = 0;
    if (count !== null) count.f64[slot] = 0;
    if (large.rare.size > 0) large.rare.delete(slot);
  }

  begin(epoch: Epoch, batch: Batch): void {
    this.#epoch = epoch;
    this.#batch = batch;
  }

  absorb(pairs: Pairs, from: number, to: number): void {
    const vec = (this.#batch as Batch).cols[this.#options.column] as Vec;
    if (vec.t === 'i64') this.#absorbWide(pairs, from, to, vec, wordsOf(vec.v));
    else if (vec.t === 'i32') this.#absorbInts(pairs, from, to, vec);
  }

  #absorbInts({ slot, row, sign }: Pairs, from: number, to: number, vec: Vec & { t: 'i32' }): void {
    for (let k = from; k < to; k++) {
      const i = row[k] as number;
      if (vec.nulls !== null && bitAt(vec.nulls, i)) continue;
      this.#add(slot[k] as number, i, (vec.v[i] as number) * (sign[k] as number), sign[k] as number);
    }
  }

  #absorbWide(
    { slot, row, sign }: Pairs,
    from: number,
    to: number,
    vec: Vec & { t: 'i64' },
    words: Int32Array,
  ): void {
    for (let k = from; k < to; k++) {
      const i = row[k] as number;
      if (vec.nulls !== null && bitAt(vec.nulls, i)) continue;
      const high = words[i * 2 + 1] as number;
      const value = high * 4294967296 + ((words[i * 2] as number) >>> 0);
      this.#add(slot[k] as number, i, value * (sign[k] as number), sign[k] as number);
    }
  }

  /** `change` is exact when it is at most 2^53; else the fold reads the value itself. */
  #add(slot: number, i: number, change: number, sign: number): void {
    const { sum, count } = this.#options;
    const next = (sum.f64[slot] as number) + change;
    // NaN, the mark of a large sum, fails every comparison
    if (next <= this.#limit && next >= -this.#limit && change <= EXACT && change >= -EXACT) {
      sum.f64[slot] = next;
      if (count !== null) count.f64[slot] = (count.f64[slot] as number) + sign;
    } else this.#addLarge(slot, i, sign);
  }

  #addLarge(slot: number, i: number, sign: number): void {
    const { fold, rows, column, argType, large, sum } = this.#options;
    const batch = this.#batch as Batch;
    rows.load(this.#epoch as Epoch, batch, i);
    const args = [valueAt(batch.cols[column] as Vec, argType, i)];
    const acc = (large.rare.get(slot) as Value | undefined) ?? this.#accumulator(slot);
    sum.f64[slot] = Number.NaN;
    large.rare.set(slot, sign > 0 ? fold.add(acc, args, rows) : (fold.retract?.(acc, args, rows) ?? acc));
  }

  /** The group's state as the fold has it. */
  #accumulator(slot: number): Value {
    const { sum, count } = this.#options;
    return [BigInt(sum.f64[slot] as number), BigInt(count === null ? 0 : (count.f64[slot] as number))];
  }

  merge(into: number, from: number): void {
    const { sum, count, large, fold } = this.#options;
    const next = (sum.f64[into] as number) + (sum.f64[from] as number);
    if (next <= this.#limit && next >= -this.#limit) {
      sum.f64[into] = next;
      if (count !== null) count.f64[into] = (count.f64[into] as number) + (count.f64[from] as number);
      return;
    }
    assert(fold.merge, 'SUM and AVG merge');
    const [a, b] = [into, from].map(
      slot => (large.rare.get(slot) as Value | undefined) ?? this.#accumulator(slot),
    );
    sum.f64[into] = Number.NaN;
    large.rare.set(into, fold.merge(a as Value, b as Value));
  }

  push(slot: number): void {
    const { fold, sum, count, large, limit } = this.#options;
    const value = sum.f64[slot] as number;
    if (Number.isNaN(value)) this.#out.push(fold.result(large.rare.get(slot) as Value));
    else if (limit === null) this.#out.push(fold.result(this.#accumulator(slot)));
    else if (this.#emptyIsNull && count?.f64[slot] === 0) this.#out.push(null);
    else this.#out.pushInteger(value);
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
