import type { Pool, Vec } from '../core/batch.ts';
import { bitAt } from '../core/bits.ts';
import { SlicePool, ValuePool } from '../core/pool.ts';
import type { SqlType } from '../core/sql-type.ts';
import { isNullAt, valueAt, vecKind, wordsOf } from '../core/vec.ts';
import { type KeyText, valueKey } from '../expr/value-key.ts';

const encoder = new TextEncoder();

/**
 * Key columns of a row as bytes for a state table: equal bytes exactly when the keys are equal (-0 is 0, NaN is NaN).
 * A single STRING or BYTES is its own bytes, so that it is found without being copied; any other key is per column a
 * byte (0 NULL, 1 present) and the value: fixed width, or length and bytes.
 */
export class KeyEncoder {
  readonly #types: readonly SqlType[];
  readonly #texts: readonly KeyText[];
  readonly #plain: boolean;
  #vecs: readonly Vec[] = [];
  /** of 64-bit columns */
  #words: readonly (Int32Array | null)[] = [];
  #buffer = new Uint8Array(64);
  #view = new DataView(this.#buffer.buffer);
  /** where `encode` left the bytes of the key */
  bytes: Uint8Array = this.#buffer;
  start = 0;
  end = 0;

  constructor(types: readonly SqlType[]) {
    this.#types = types;
    this.#texts = types.map(valueKey);
    this.#plain = isPlainKey(types);
  }

  /** The key columns of the batch whose rows are encoded next. */
  begin(vecs: readonly Vec[]): void {
    this.#vecs = vecs;
    this.#words = vecs.map(vec => (vec.t === 'i64' ? wordsOf(vec.v) : null));
  }

  /** what `encode` overwrites: bytes in it are good until the next key */
  get own(): Uint8Array {
    return this.#buffer;
  }

  hasNull(i: number): boolean {
    for (const vec of this.#vecs) if (isNullAt(vec, i)) return true;
    return false;
  }

  /** Encodes the key of physical row i; false: a plain key that is NULL and has no bytes. */
  encode(i: number): boolean {
    if (this.#plain) return this.#encodePlain(this.#vecs[0] as Vec, i);
    let at = 0;
    for (let c = 0; c < this.#vecs.length; c++) at = this.#encodeColumn(c, i, at);
    this.bytes = this.#buffer;
    this.start = 0;
    this.end = at;
    return true;
  }

  #encodePlain(vec: Vec, i: number): boolean {
    if (vec.t !== 'str' || bitAt(vec.nulls, i)) return false;
    const id = vec.v[i] as number;
    const { pool } = vec;
    if (pool instanceof SlicePool && (pool.start[id] as number) < pool.data.length) {
      this.bytes = pool.data;
      this.start = pool.start[id] as number;
      this.end = pool.end[id] as number;
      return true;
    }
    const text = textOf(pool, id);
    this.start = 0;
    if (text === null) {
      this.bytes = pool.bytes(id);
      this.end = this.bytes.length;
    } else {
      this.end = this.#writeText(text, 0);
      this.bytes = this.#buffer;
    }
    return true;
  }

  #encodeColumn(c: number, i: number, at: number): number {
    const vec = this.#vecs[c] as Vec;
    this.#reserve(at + 16);
    if (isNullAt(vec, i)) {
      this.#buffer[at] = 0;
      return at + 1;
    }
    this.#buffer[at] = 1;
    switch (vec.t) {
      case 'i32':
        this.#view.setInt32(at + 1, vec.v[i] as number, true);
        return at + 5;
      case 'i64':
        this.#view.setInt32(at + 1, this.#words[c]?.[i * 2] as number, true);
        this.#view.setInt32(at + 5, this.#words[c]?.[i * 2 + 1] as number, true);
        return at + 9;
      case 'f64': {
        const value = vec.v[i] as number;
        // + 0 makes -0 a 0; one NaN for all
        this.#view.setFloat64(at + 1, Number.isNaN(value) ? Number.NaN : value + 0, true);
        return at + 9;
      }
      case 'str': {
        const { pool } = vec;
        const id = vec.v[i] as number;
        if (pool instanceof SlicePool && (pool.start[id] as number) < pool.data.length) {
          return this.#copyBytes(pool.data, pool.start[id] as number, pool.end[id] as number, at);
        }
        const text = textOf(vec.pool, vec.v[i] as number);
        if (text === null) return this.#encodeBytes(vec.pool.bytes(vec.v[i] as number), at);
        const end = this.#writeText(text, at + 5);
        this.#view.setInt32(at + 1, end - at - 5, true);
        return end;
      }
      case 'val': {
        const value = valueAt(vec, this.#types[c] as SqlType, i);
        return this.#encodeBytes(encoder.encode((this.#texts[c] as KeyText)(value)), at);
      }
    }
  }

  /** Texts are short: a loop beats a view and a copy. */
  #copyBytes(bytes: Uint8Array, start: number, end: number, at: number): number {
    const length = end - start;
    this.#reserve(at + 5 + length);
    this.#view.setInt32(at + 1, length, true);
    const buffer = this.#buffer;
    for (let i = 0; i < length; i++) buffer[at + 5 + i] = bytes[start + i] as number;
    return at + 5 + length;
  }

  #encodeBytes(bytes: Uint8Array, at: number): number {
    this.#reserve(at + 5 + bytes.length);
    this.#view.setInt32(at + 1, bytes.length, true);
    this.#buffer.set(bytes, at + 5);
    return at + 5 + bytes.length;
  }

  /** The end of the text's UTF-8 in the buffer; ASCII without a call into the encoder. */
  #writeText(text: string, at: number): number {
    this.#reserve(at + text.length * 3);
    const buffer = this.#buffer;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return at + encoder.encodeInto(text, buffer.subarray(at)).written;
      buffer[at + i] = code;
    }
    return at + text.length;
  }

  #reserve(size: number): void {
    if (size <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(size, this.#buffer.length * 2));
    grown.set(this.#buffer);
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** The text behind an id where it is no bytes yet. */
function textOf(pool: Pool, id: number): string | null {
  const value = pool instanceof ValuePool ? pool.values[id] : null;
  return typeof value === 'string' ? value : null;
}

/** Whether a key of these types is kept as the bytes of its only column. */
export function isPlainKey(types: readonly SqlType[]): boolean {
  const [only] = types;
  return types.length === 1 && only !== undefined && vecKind(only) === 'str';
}
