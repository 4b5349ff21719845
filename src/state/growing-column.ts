import { deserialize, serialize } from 'node:v8';
import { assert } from '../core/assert.ts';
import type { Bits, Vec } from '../core/batch.ts';
import { bitAt, clearBit, makeBits, setBit } from '../core/bits.ts';
import { SlicePool } from '../core/pool.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { grownBits, grownF64, grownI32, grownI64, type VecBuilder, valueAt, wordsOf } from '../core/vec.ts';
import { SlotTexts } from './slot-texts.ts';
import type { ColumnSection } from './state-section.ts';

/** `text`: STRINGs as bytes; `rare`: values that few slots have */
export type ColumnKind = 'i32' | 'i64' | 'f64' | 'text' | 'val' | 'rare';

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
  rare = new Map<number, unknown>();
  texts = new SlotTexts();
  nulls: Bits | null = null;

  constructor(kind: ColumnKind) {
    this.kind = kind;
  }

  /** Takes the values of another column of the same kind, which is not used any more. */
  takeOver(other: GrowingColumn): void {
    this.i32 = other.i32;
    this.f64 = other.f64;
    this.i64 = other.i64;
    this.values = other.values;
    this.rare = other.rare;
    this.texts = other.texts;
    this.nulls = other.nulls;
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
      case 'text':
        this.texts.reserve(n);
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
    if (this.kind === 'rare') return (this.rare.get(slot) ?? null) as Value | null;
    if (this.kind === 'text') return this.texts.get(slot);
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

  /** Appends the value of a slot to a column of a batch, of the type that it has here. */
  pushTo(to: VecBuilder, slot: number): void {
    if (this.kind === 'val') to.push((this.values[slot] ?? null) as Value | null);
    else if (this.kind === 'rare') to.push((this.rare.get(slot) ?? null) as Value | null);
    else if (this.kind === 'text') this.#pushText(to, slot);
    else if (this.nulls !== null && this.isNull(slot)) to.push(null);
    else if (this.kind === 'i64') to.pushI64(this.i64, slot);
    else if (this.kind === 'f64') to.pushF64(this.f64[slot] as number);
    else to.pushI32(this.i32[slot] as number);
  }

  #pushText(to: VecBuilder, slot: number): void {
    const { range, arena } = this.texts;
    const end = range[slot * 2 + 1] as number;
    if (end < 0) to.push(null);
    else to.pushText(arena, range[slot * 2] as number, end);
  }

  /** Takes row i (physical) of a column of a type; the slot must be below what was reserved. */
  takeRow(slot: number, vec: Vec, type: SqlType, i: number): void {
    if (this.kind === 'text' && vec.t === 'str' && vec.pool instanceof SlicePool && !bitAt(vec.nulls, i)) {
      const { pool } = vec;
      const id = vec.v[i] as number;
      const start = pool.start[id] as number;
      if (start < pool.data.length) this.texts.set(slot, pool.data, start, pool.end[id] as number);
      else this.set(slot, valueAt(vec, type, i));
      return;
    }
    const isText = vec.t === 'str' || vec.t === 'val';
    if (isText || this.kind !== vec.t || (vec.nulls !== null && bitAt(vec.nulls, i))) {
      this.set(slot, valueAt(vec, type, i));
      return;
    }
    if (this.nulls !== null) this.clearNull(slot);
    if (vec.t === 'i64') this.i64[slot] = vec.v[i] as bigint;
    else if (vec.t === 'f64') this.f64[slot] = vec.v[i] as number;
    else this.i32[slot] = vec.v[i] as number;
  }

  /** Loads what n slots hold (-1: none) from memory; a number that depends on it, so that the loads are not left out. */
  loadAhead(slots: Int32Array, n: number): number {
    switch (this.kind) {
      case 'text':
        return this.texts.loadAhead(slots, n);
      case 'i32':
        return loaded(this.i32, slots, n, 1);
      case 'f64':
        return loaded(this.f64, slots, n, 1);
      case 'i64':
        return loaded(wordsOf(this.i64), slots, n, 2);
      default:
        return 0;
    }
  }

  /** Whether a value may be let go of. */
  get forgets(): boolean {
    return this.kind === 'val' || this.kind === 'rare' || this.kind === 'text';
  }

  /** Lets go of a value that is not in a typed array. */
  forget(slot: number): void {
    if (this.kind === 'val') this.values[slot] = null;
    else if (this.kind === 'text') this.texts.clear(slot);
    else if (this.kind === 'rare') this.rare.delete(slot);
  }

  /** Sets a value; the slot must be below what was reserved. */
  set(slot: number, value: Value | null): void {
    if (this.kind === 'val') {
      this.values[slot] = value;
      return;
    }
    if (this.kind === 'text') {
      if (value === null) this.texts.clear(slot);
      else this.texts.setString(slot, value as string);
      return;
    }
    if (this.kind === 'rare') {
      if (value === null) this.rare.delete(slot);
      else this.rare.set(slot, value);
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
      this.texts.bytes +
      this.rare.size * 120 +
      (this.nulls?.byteLength ?? 0)
    );
  }

  /** The values of slots below n, or of these slots only. */
  section(n: number, slots: Int32Array | null): ColumnSection {
    if (this.kind === 'rare') return { packed: serialize(this.#rareValues(slots)) };
    if (this.kind === 'val')
      return {
        packed: serialize(
          slots === null ? this.values.slice(0, n) : Array.from(slots, slot => this.values[slot]),
        ),
      };
    if (this.kind === 'text') return this.texts.section(n, slots);
    if (slots === null) return { values: this[this.kind].slice(0, n), nulls: this.nulls?.slice() ?? null };
    let nulls: Bits | null = null;
    if (this.nulls !== null) {
      for (let k = 0; k < slots.length; k++) {
        if (!this.isNull(slots[k] as number)) continue;
        nulls ??= makeBits(slots.length);
        setBit(nulls, k);
      }
    }
    return { values: this.#numbersOf(slots), nulls };
  }

  #numbersOf(slots: Int32Array): Int32Array | Float64Array | BigInt64Array {
    if (this.kind === 'i32') {
      const { i32 } = this;
      const values = new Int32Array(slots.length);
      for (let k = 0; k < slots.length; k++) values[k] = i32[slots[k] as number] as number;
      return values;
    }
    // halves of 8 bytes: no bigint is made, and no bit of a NaN is lost
    const from = this.kind === 'i64' ? this.i64 : this.f64;
    const halves = new Int32Array(from.buffer, from.byteOffset, from.length * 2);
    const copied = new Int32Array(slots.length * 2);
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k] as number;
      copied[k * 2] = halves[slot * 2] as number;
      copied[k * 2 + 1] = halves[slot * 2 + 1] as number;
    }
    return this.kind === 'i64' ? new BigInt64Array(copied.buffer) : new Float64Array(copied.buffer);
  }

  /** As far as there are any; the rest is undefined. */
  #rareValues(slots: Int32Array | null): unknown[] {
    const values: unknown[] = [];
    if (this.rare.size === 0) return values;
    if (slots === null) for (const [slot, value] of this.rare) values[slot] = value;
    else
      for (let k = 0; k < slots.length; k++) {
        const value = this.rare.get(slots[k] as number);
        if (value !== undefined) values[k] = value;
      }
    return values;
  }

  /** Takes the values at these places of a section into slots, for which there is room. */
  take(section: ColumnSection, places: Int32Array, slots: Int32Array): void {
    if ('texts' in section) {
      this.texts.take(section, places, slots);
      return;
    }
    if ('packed' in section) {
      const values = deserialize(section.packed) as unknown[];
      for (let k = 0; k < places.length; k++) {
        const value = values[places[k] as number];
        if (this.kind === 'val') this.values[slots[k] as number] = value;
        else if (value !== undefined) this.rare.set(slots[k] as number, value);
      }
      return;
    }
    const { values, nulls } = section;
    const to = this.#array;
    for (let k = 0; k < places.length; k++) {
      const place = places[k] as number;
      const slot = slots[k] as number;
      to[slot] = values[place] as number & bigint;
      if (bitAt(nulls, place)) this.setNull(slot);
    }
  }

  get #array(): Int32Array | Float64Array | BigInt64Array {
    assert(this.kind === 'i32' || this.kind === 'i64' || this.kind === 'f64', 'a section of a typed array');
    return this[this.kind];
  }
}

function loaded(values: Int32Array | Float64Array, slots: Int32Array, n: number, width: number): number {
  let touched = 0;
  for (let k = 0; k < n; k++) {
    const slot = slots[k] as number;
    if (slot >= 0) touched ^= values[slot * width] as number;
  }
  return touched;
}
