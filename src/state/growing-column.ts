import type { Bits } from '../core/batch.ts';
import { bitAt, clearBit, makeBits, setBit } from '../core/bits.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { grownBits, grownF64, grownI32, grownI64 } from '../core/vec.ts';
import type { ColumnSection } from './state-section.ts';

export type ColumnKind = 'i32' | 'i64' | 'f64' | 'val';

/**
 * One state column over the slots of a table. Hot loops take the typed array itself after `reserve`; it is replaced
 * when the column grows.
 */
export class GrowingColumn {
  readonly kind: ColumnKind;
  i32: Int32Array = new Int32Array(0);
  f64: Float64Array = new Float64Array(0);
  i64: BigInt64Array = new BigInt64Array(0);
  values: unknown[] = [];
  nulls: Bits | null = null;

  constructor(kind: ColumnKind) {
    this.kind = kind;
  }

  /** Makes room for slots below n. */
  reserve(n: number): void {
    switch (this.kind) {
      case 'i32':
        if (this.i32.length < n) this.i32 = grownI32(this.i32, n);
        break;
      case 'f64':
        if (this.f64.length < n) this.f64 = grownF64(this.f64, n);
        break;
      case 'i64':
        if (this.i64.length < n) this.i64 = grownI64(this.i64, n);
        break;
      case 'val':
        while (this.values.length < n) this.values.push(null);
    }
    if (this.nulls !== null) this.nulls = grownBits(this.nulls, n);
  }

  isNull(slot: number): boolean {
    return bitAt(this.nulls, slot);
  }

  setNull(slot: number): void {
    this.nulls = grownBits(this.nulls, slot + 1);
    setBit(this.nulls, slot);
  }

  clearNull(slot: number): void {
    if (this.nulls !== null && slot >>> 5 < this.nulls.length) clearBit(this.nulls, slot);
  }

  get(type: SqlType, slot: number): Value | null {
    if (this.kind === 'val') return (this.values[slot] ?? null) as Value | null;
    if (this.isNull(slot)) return null;
    switch (this.kind) {
      case 'i32':
        return type.kind === 'BOOLEAN' ? this.i32[slot] === 1 : (this.i32[slot] as number);
      case 'f64':
        return this.f64[slot] as number;
      case 'i64':
        return this.i64[slot] as bigint;
    }
  }

  /** Sets a value; the slot must be below what was reserved. */
  set(slot: number, value: Value | null): void {
    if (this.kind === 'val') {
      this.values[slot] = value;
      return;
    }
    if (value === null) {
      this.setNull(slot);
      return;
    }
    this.clearNull(slot);
    switch (this.kind) {
      case 'i32':
        this.i32[slot] = typeof value === 'boolean' ? (value ? 1 : 0) : (value as number);
        break;
      case 'f64':
        this.f64[slot] = value as number;
        break;
      case 'i64':
        this.i64[slot] = value as bigint;
    }
  }

  /** about; what a value outside of typed arrays takes is guessed */
  get bytes(): number {
    return (
      this.i32.byteLength +
      this.f64.byteLength +
      this.i64.byteLength +
      this.values.length * 48 +
      (this.nulls?.byteLength ?? 0)
    );
  }

  /** The values of slots below n, or of these slots only. */
  section(n: number, slots: Int32Array | null): ColumnSection {
    if (slots === null) return { values: this.#array.slice(0, n), nulls: this.nulls?.slice() ?? null };
    const from = this.#array;
    const values: unknown[] | Int32Array | Float64Array | BigInt64Array =
      from instanceof Int32Array
        ? new Int32Array(slots.length)
        : from instanceof Float64Array
          ? new Float64Array(slots.length)
          : from instanceof BigInt64Array
            ? new BigInt64Array(slots.length)
            : new Array(slots.length);
    let nulls: Bits | null = null;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k] as number;
      values[k] = from[slot] as number & bigint;
      if (!this.isNull(slot)) continue;
      nulls ??= makeBits(slots.length);
      setBit(nulls, k);
    }
    return { values: values as ColumnSection['values'], nulls };
  }

  /** Takes the values at these places of a section into slots, for which there is room. */
  take({ values, nulls }: ColumnSection, places: Int32Array, slots: Int32Array): void {
    const to = this.#array;
    for (let k = 0; k < places.length; k++) {
      const place = places[k] as number;
      const slot = slots[k] as number;
      to[slot] = values[place] as number & bigint;
      if (bitAt(nulls, place)) this.setNull(slot);
    }
  }

  get #array(): Int32Array | Float64Array | BigInt64Array | unknown[] {
    return this.kind === 'val' ? this.values : this[this.kind];
  }
}
