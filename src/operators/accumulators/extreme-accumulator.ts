import type { Batch, Vec } from '../../core/batch.ts';
import { bitAt } from '../../core/bits.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { VecBuilder, wordsOf } from '../../core/vec.ts';
import type { GrowingColumn } from '../../state/growing-column.ts';
import type { Epoch } from '../operator.ts';
import type { Accumulator, Pairs } from './accumulator.ts';

export interface ExtremeOptions {
  readonly type: SqlType;
  readonly column: number;
  /** 1: MIN, -1: MAX */
  readonly sign: 1 | -1;
  /** of the column's kind: i32, i64 or f64; NULL while there was no value */
  readonly best: GrowingColumn;
}

/** MIN and MAX of numbers and times over rows that are only added. NaN is above all others, as in `compare.ts`. */
export class ExtremeAccumulator implements Accumulator {
  readonly #options: ExtremeOptions;
  #vec: Vec | null = null;
  readonly #out: VecBuilder;

  constructor(options: ExtremeOptions) {
    this.#options = options;
    this.#out = new VecBuilder(options.type);
  }

  reset(slot: number): void {
    this.#options.best.setNull(slot);
  }

  begin(_: Epoch, batch: Batch): void {
    this.#vec = batch.cols[this.#options.column] as Vec;
  }

  absorb(pairs: Pairs, from: number, to: number): void {
    const vec = this.#vec;
    if (vec === null || vec.t === 'val' || vec.t === 'str') return;
    const { best } = this.#options;
    const values = vec.t === 'i64' ? wordsOf(vec.v) : null;
    const own = vec.t === 'i64' ? wordsOf(best.i64) : null;
    for (let k = from; k < to; k++) {
      const i = pairs.row[k] as number;
      if (vec.nulls !== null && bitAt(vec.nulls, i)) continue;
      const slot = pairs.slot[k] as number;
      if (values !== null && own !== null) this.#offerWide(slot, i, values, own);
      else if (vec.t === 'i32') this.#offer(slot, vec.v[i] as number, best.i32);
      else this.#offer(slot, vec.v[i] as number, best.f64);
    }
  }

  #offer(slot: number, value: number, own: Int32Array | Float64Array): void {
    const { best, sign } = this.#options;
    if (best.isNull(slot)) best.clearNull(slot);
    else {
      const now = own[slot] as number;
      if (Number.isNaN(now) || Number.isNaN(value)) {
        if (!above(now, value, sign)) return;
      } else if (sign > 0 ? value >= now : value <= now) return;
    }
    own[slot] = value;
  }

  #offerWide(slot: number, i: number, values: Int32Array, own: Int32Array): void {
    const { best, sign } = this.#options;
    const high = values[i * 2 + 1] as number;
    const low = values[i * 2] as number;
    if (best.isNull(slot)) best.clearNull(slot);
    else {
      const order = (own[slot * 2 + 1] as number) - high || ((own[slot * 2] as number) >>> 0) - (low >>> 0);
      if (sign * order <= 0) return;
    }
    own[slot * 2] = low;
    own[slot * 2 + 1] = high;
  }

  merge(into: number, from: number): void {
    const { best } = this.#options;
    if (best.isNull(from)) return;
    if (best.kind === 'i64') {
      const words = wordsOf(best.i64);
      this.#offerWide(into, from, words, words);
    } else {
      const own = best.kind === 'i32' ? best.i32 : best.f64;
      this.#offer(into, own[from] as number, own);
    }
  }

  push(slot: number): void {
    this.#out.push(this.#options.best.get(this.#options.type, slot));
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

/** Whether `value` takes the place of `now` when one of them is NaN, the largest of all. */
function above(now: number, value: number, sign: 1 | -1): boolean {
  if (Number.isNaN(now) && Number.isNaN(value)) return false;
  return sign > 0 ? Number.isNaN(now) : Number.isNaN(value);
}
