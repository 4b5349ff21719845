import type { Bits, Vec } from '../core/batch.ts';
import { bitAt, makeBits, setBit } from '../core/bits.ts';
import { ValuePool } from '../core/pool.ts';
import type { SqlType } from '../core/sql-type.ts';
import { TextBuilder } from '../core/text-builder.ts';
import type { Value } from '../core/value.ts';
import { vecKind, wordsOf } from '../core/vec.ts';
import type { GrowingColumn } from '../state/growing-column.ts';

/** Rows of a batch and the slots of state that belong to them: k = 0, 1, ... */
export interface SlottedRows {
  /** physical rows */
  readonly rows: Int32Array;
  /** -1: none, its values are NULL */
  readonly slots: Int32Array;
}

/**
 * A column of a batch whose values stand in a column of state, copied in loops over many rows. Rows that nobody
 * gathers for hold anything.
 */
export class GatheredColumn {
  readonly #from: GrowingColumn;
  readonly #kind: Vec['t'];
  readonly #n: number;
  readonly #i32: Int32Array;
  readonly #i64: BigInt64Array;
  readonly #words: Int32Array;
  readonly #f64: Float64Array;
  readonly #values: (Value | null)[];
  readonly #texts: TextBuilder | null;
  #nulls: Bits | null = null;

  /** `n`: physical rows of the batch */
  constructor(type: SqlType, from: GrowingColumn, n: number) {
    this.#from = from;
    this.#kind = vecKind(type);
    this.#n = n;
    this.#i32 = new Int32Array(this.#kind === 'i32' ? n : 0);
    this.#i64 = new BigInt64Array(this.#kind === 'i64' ? n : 0);
    this.#words = wordsOf(this.#i64);
    this.#f64 = new Float64Array(this.#kind === 'f64' ? n : 0);
    this.#texts = from.kind === 'text' ? new TextBuilder(n) : null;
    const empty = this.#kind === 'str' ? '' : null;
    const valued = this.#texts === null && (this.#kind === 'str' || this.#kind === 'val');
    this.#values = valued ? new Array(n).fill(empty) : [];
  }

  /** The values of rows k in [from, to), as the state is now. */
  gather({ rows, slots }: SlottedRows, from: number, to: number): void {
    switch (this.#kind) {
      case 'i32': {
        const [values, state] = [this.#i32, this.#from.i32];
        for (let k = from; k < to; k++) values[rows[k] as number] = state[slots[k] as number] as number;
        break;
      }
      case 'f64': {
        const [values, state] = [this.#f64, this.#from.f64];
        for (let k = from; k < to; k++) values[rows[k] as number] = state[slots[k] as number] as number;
        break;
      }
      case 'i64': {
        const [values, state] = [this.#words, wordsOf(this.#from.i64)];
        for (let k = from; k < to; k++) {
          const [to, at] = [(rows[k] as number) * 2, (slots[k] as number) * 2];
          values[to] = state[at] as number;
          values[to + 1] = state[at + 1] as number;
        }
        break;
      }
      default:
        if (this.#texts === null) this.#gatherValues(rows, slots, from, to);
        else this.#gatherTexts(this.#texts, { rows, slots }, from, to);
        return;
    }
    const { nulls } = this.#from;
    for (let k = from; k < to; k++) {
      const slot = slots[k] as number;
      if (slot < 0 || (nulls !== null && bitAt(nulls, slot))) this.#setNull(rows[k] as number);
    }
  }

  #gatherTexts(texts: TextBuilder, { rows, slots }: SlottedRows, from: number, to: number): void {
    const { range, arena } = this.#from.texts;
    for (let k = from; k < to; k++) {
      const slot = slots[k] as number;
      const end = slot < 0 ? -1 : (range[slot * 2 + 1] as number);
      if (end < 0) this.#setNull(rows[k] as number);
      else texts.set(rows[k] as number, arena, range[slot * 2] as number, end);
    }
  }

  #gatherValues(rows: Int32Array, slots: Int32Array, from: number, to: number): void {
    const values = this.#values;
    const state = this.#from.values;
    for (let k = from; k < to; k++) {
      const slot = slots[k] as number;
      const value = slot < 0 ? null : (state[slot] as Value | null);
      if (value !== null) values[rows[k] as number] = value;
      else if (this.#kind === 'str') this.#setNull(rows[k] as number);
    }
  }

  #setNull(row: number): void {
    this.#nulls ??= makeBits(this.#n);
    setBit(this.#nulls, row);
  }

  /** The column; nothing is gathered after it. `ids`: 0, 1, 2, ... for each row of the batch. */
  build(ids: Int32Array): Vec {
    const nulls = this.#nulls;
    switch (this.#kind) {
      case 'i32':
        return { t: 'i32', v: this.#i32, nulls };
      case 'i64':
        return { t: 'i64', v: this.#i64, nulls };
      case 'f64':
        return { t: 'f64', v: this.#f64, nulls };
      case 'str':
        if (this.#texts !== null) return { t: 'str', v: ids, pool: this.#texts.build(this.#n), nulls };
        return { t: 'str', v: ids, pool: new ValuePool(this.#values as (string | Uint8Array)[]), nulls };
      case 'val':
        return { t: 'val', v: this.#values };
    }
  }
}
