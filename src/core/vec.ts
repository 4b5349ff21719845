import { assert } from './assert.ts';
import type { Batch, Bits, Vec } from './batch.ts';
import { bitAt, makeBits, setBit } from './bits.ts';
import { SlicePool, ValuePool } from './pool.ts';
import { MAX_I64_PRECISION, type SqlType } from './sql-type.ts';
import { TextBuilder } from './text-builder.ts';
import type { Row, Value } from './value.ts';

/** How a column of a type is stored. */
export function vecKind(type: SqlType): Vec['t'] {
  switch (type.kind) {
    case 'BOOLEAN':
    case 'INT':
    case 'DATE':
    case 'TIME':
      return 'i32';
    case 'BIGINT':
      return 'i64';
    case 'DECIMAL':
      return type.precision <= MAX_I64_PRECISION ? 'i64' : 'val';
    case 'DOUBLE':
    case 'TIMESTAMP':
      return 'f64';
    case 'STRING':
    case 'BYTES':
      return 'str';
    default:
      return 'val';
  }
}

export function isNullAt(vec: Vec, i: number): boolean {
  return vec.t === 'val' ? (vec.v[i] ?? null) === null : bitAt(vec.nulls, i);
}

/** The value of row i (physical) of a column. */
export function valueAt(vec: Vec, type: SqlType, i: number): Value | null {
  if (vec.t === 'val') return vec.v[i] ?? null;
  if (vec.nulls !== null && bitAt(vec.nulls, i)) return null;
  switch (vec.t) {
    case 'i32':
      return type.kind === 'BOOLEAN' ? vec.v[i] !== 0 : (vec.v[i] as number);
    case 'i64':
      return vec.v[i] as bigint;
    case 'f64':
      return vec.v[i] as number;
    case 'str': {
      const id = vec.v[i] as number;
      // a value outlives the batch: bytes are not shared with it
      return type.kind === 'STRING' ? vec.pool.text(id) : vec.pool.bytes(id).slice();
    }
  }
}

/** The values of physical row i of a batch. */
export function rowAt(batch: Batch, i: number): Row {
  return batch.schema.columns.map((column, c) => valueAt(batch.cols[c] as Vec, column.type, i));
}

/** The physical indices of the selected rows, in order. */
export function* selectedRows(batch: Batch): Iterable<number> {
  if (batch.sel !== null) yield* batch.sel;
  else for (let i = 0; i < batch.n; i++) yield i;
}

/** rows of a column whose memory is kept for the next one */
export const KEPT_ROWS = 1 << 17;

/** Collects values of one type into a column. */
export class VecBuilder {
  readonly type: SqlType;
  readonly #kind: Vec['t'];
  #n = 0;
  #i32: Int32Array;
  #i64: BigInt64Array;
  #f64: Float64Array;
  #values: (Value | null)[] = [];
  /** texts as bytes, once one has come so; null: all are in `values` */
  #texts: TextBuilder | null = null;
  /** that of the column built last */
  #textsBefore: TextBuilder | null = null;
  #capacity: number;
  #nulls: Bits | null = null;
  #words: Int32Array | null = null;

  constructor(type: SqlType, capacity = 64) {
    this.type = type;
    this.#kind = vecKind(type);
    this.#capacity = capacity;
    this.#i32 = new Int32Array(this.#kind === 'i32' ? capacity : 0);
    this.#i64 = new BigInt64Array(this.#kind === 'i64' ? capacity : 0);
    this.#f64 = new Float64Array(this.#kind === 'f64' ? capacity : 0);
  }

  get length(): number {
    return this.#n;
  }

  /** Begins a column of about so many rows anew, in the memory of the one built last where it has room: that is no more. */
  restart(capacity: number): void {
    if (this.#n > KEPT_ROWS) this.#letGo();
    this.#n = 0;
    this.#capacity = capacity;
    if (this.#kind === 'i32' && this.#i32.length < capacity) {
      this.#i32 = new Int32Array(capacityFor(capacity, this.#i32.length));
    }
    if (this.#kind === 'f64' && this.#f64.length < capacity) {
      this.#f64 = new Float64Array(capacityFor(capacity, this.#f64.length));
    }
    if (this.#kind === 'i64' && this.#i64.length < capacity) {
      this.#i64 = new BigInt64Array(capacityFor(capacity, this.#i64.length));
      this.#words = null;
    }
    this.#values = [];
    this.#textsBefore = this.#texts ?? this.#textsBefore;
    this.#texts = null;
    this.#nulls = null;
  }

  #letGo(): void {
    this.#i32 = new Int32Array(0);
    this.#i64 = new BigInt64Array(0);
    this.#f64 = new Float64Array(0);
    this.#words = null;
    this.#texts = null;
    this.#textsBefore = null;
  }

  push(value: Value | null): void {
    const i = this.#n++;
    if (value === null) {
      if (this.#kind === 'val') {
        this.#values.push(null);
        return;
      }
      if (this.#kind === 'str' && this.#texts === null) this.#values.push('');
      this.#setNull(i);
      return;
    }
    switch (this.#kind) {
      case 'i32':
        if (i >= this.#i32.length) this.#i32 = grownI32(this.#i32, i + 1);
        this.#i32[i] = typeof value === 'boolean' ? (value ? 1 : 0) : (value as number);
        return;
      case 'i64':
        if (i >= this.#i64.length) {
          this.#i64 = grownI64(this.#i64, i + 1);
          this.#words = null;
        }
        this.#i64[i] = value as bigint;
        return;
      case 'f64':
        if (i >= this.#f64.length) this.#f64 = grownF64(this.#f64, i + 1);
        this.#f64[i] = value as number;
        return;
      default:
        if (this.#texts === null) this.#values.push(value);
        else if (typeof value === 'string') this.#texts.setString(i, value);
        else this.#texts.set(i, value as Uint8Array, 0, (value as Uint8Array).length);
    }
  }

  /** Appends the text (or bytes) of bytes [start, end), which are copied, to a column of such. */
  pushText(bytes: Uint8Array, start: number, end: number): void {
    this.#texts ??= this.#valuesAsTexts();
    this.#texts.set(this.#n++, bytes, start, end);
  }

  #valuesAsTexts(): TextBuilder {
    const texts = this.#textsBefore ?? new TextBuilder(Math.max(this.#capacity, this.#n));
    texts.restart();
    this.#textsBefore = null;
    for (const [i, value] of this.#values.entries()) {
      if (typeof value === 'string') texts.setString(i, value);
      else if (value instanceof Uint8Array) texts.set(i, value, 0, value.length);
    }
    this.#values = [];
    return texts;
  }

  /** Appends a whole number below 2^53 to a column of numbers, without making a bigint for 64-bit columns. */
  pushInteger(value: number): void {
    const i = this.#n;
    if (this.#kind !== 'i64') {
      this.push(this.#kind === 'val' ? BigInt(value) : value);
      return;
    }
    this.#n = i + 1;
    if (i >= this.#i64.length) {
      this.#i64 = grownI64(this.#i64, i + 1);
      this.#words = null;
    }
    this.#words ??= wordsOf(this.#i64);
    const high = Math.floor(value / 4294967296);
    this.#words[i * 2] = (value - high * 4294967296) | 0;
    this.#words[i * 2 + 1] = high;
  }

  /** Appends row i (physical) of a column of the same type. */
  pushFrom(vec: Vec, i: number): void {
    if (vec.t === 'str' && vec.pool instanceof SlicePool && !bitAt(vec.nulls, i)) {
      const { pool } = vec;
      const id = vec.v[i] as number;
      const start = pool.start[id] as number;
      if (start < pool.data.length) this.pushText(pool.data, start, pool.end[id] as number);
      else this.push(valueAt(vec, this.type, i));
    } else if (vec.t === 'str' || vec.t === 'val' || (vec.nulls !== null && bitAt(vec.nulls, i))) {
      this.push(valueAt(vec, this.type, i));
    } else if (vec.t === 'i64') this.pushI64(vec.v, i);
    else if (vec.t === 'f64') this.pushF64(vec.v[i] as number);
    else this.pushI32(vec.v[i] as number);
  }

  /** Appends to a column of this kind. */
  pushI32(value: number): void {
    const i = this.#n++;
    if (i >= this.#i32.length) this.#i32 = grownI32(this.#i32, i + 1);
    this.#i32[i] = value;
  }

  /** Appends to a column of this kind. */
  pushF64(value: number): void {
    const i = this.#n++;
    if (i >= this.#f64.length) this.#f64 = grownF64(this.#f64, i + 1);
    this.#f64[i] = value;
  }

  /** Appends an element of `values` to a column of this kind, without making a bigint. */
  pushI64(values: BigInt64Array, at: number): void {
    const i = this.#n++;
    if (i >= this.#i64.length) {
      this.#i64 = grownI64(this.#i64, i + 1);
      this.#words = null;
    }
    this.#i64[i] = values[at] as bigint;
  }

  /** Sets physical row i; rows in between hold anything. Rows may be set in any order, each once. */
  set(i: number, value: Value | null): void {
    assert(this.#texts === null, 'rows are set or appended');
    const n = this.#n;
    this.#n = i;
    if (this.#kind === 'str' || this.#kind === 'val') {
      while (this.#values.length < i) this.#values.push(this.#kind === 'str' ? '' : null);
      if (i < this.#values.length) {
        this.#values[i] = value ?? (this.#kind === 'str' ? '' : null);
        if (value === null && this.#kind === 'str') this.#setNull(i);
        this.#n = n;
        return;
      }
    }
    this.push(value);
    this.#n = Math.max(n, i + 1);
  }

  #setNull(i: number): void {
    this.#nulls = grownBits(this.#nulls, i + 1);
    setBit(this.#nulls, i);
  }

  /** The column; the builder must not be used any more but for `restart`. `n`: rows behind the last one set hold anything. */
  build(rows = 0): Vec {
    const n = Math.max(this.#n, rows);
    const nulls = this.#nulls === null ? null : grownBits(this.#nulls, n);
    switch (this.#kind) {
      case 'i32':
        return { t: 'i32', v: n <= this.#i32.length ? this.#i32 : grownI32(this.#i32, n), nulls };
      case 'i64':
        return { t: 'i64', v: n <= this.#i64.length ? this.#i64 : grownI64(this.#i64, n), nulls };
      case 'f64':
        return { t: 'f64', v: n <= this.#f64.length ? this.#f64 : grownF64(this.#f64, n), nulls };
      case 'str': {
        const ids = identity(n);
        if (this.#texts !== null) return { t: 'str', v: ids, pool: this.#texts.build(n), nulls };
        return { t: 'str', v: ids, pool: new ValuePool(this.#values as (string | Uint8Array)[]), nulls };
      }
      case 'val':
        return { t: 'val', v: this.#values };
    }
  }
}

let ids = new Int32Array(0);

/** 0, 1, 2, ... for the ids of a pool whose texts are in order: shared, as ids are never written. */
export function identity(n: number): Int32Array {
  if (ids.length < n) {
    ids = new Int32Array(capacityFor(n, ids.length));
    for (let i = 0; i < ids.length; i++) ids[i] = i;
  }
  return ids;
}

/** Rows `rows[0..n)` of a column, in that order. */
export function gatherVec(vec: Vec, rows: Int32Array, n: number): Vec {
  if (vec.t === 'val') {
    return { t: 'val', v: Array.from({ length: n }, (_, k) => vec.v[rows[k] as number] ?? null) };
  }
  let nulls: Bits | null = null;
  if (vec.nulls !== null) {
    nulls = makeBits(n);
    for (let k = 0; k < n; k++) if (bitAt(vec.nulls, rows[k] as number)) setBit(nulls, k);
  }
  if (vec.t === 'i64') {
    const v = new BigInt64Array(n);
    for (let k = 0; k < n; k++) v[k] = vec.v[rows[k] as number] as bigint;
    return { t: 'i64', v, nulls };
  }
  if (vec.t === 'f64') {
    const v = new Float64Array(n);
    for (let k = 0; k < n; k++) v[k] = vec.v[rows[k] as number] as number;
    return { t: 'f64', v, nulls };
  }
  const v = new Int32Array(n);
  for (let k = 0; k < n; k++) v[k] = vec.v[rows[k] as number] as number;
  return vec.t === 'str' ? { t: 'str', v, pool: vec.pool, nulls } : { t: 'i32', v, nulls };
}

/** Rows as a batch; the ordinary way to make one by hand. */
export function batchOf(options: {
  readonly schema: Batch['schema'];
  readonly rows: readonly Row[];
  readonly seq: readonly number[];
  readonly rowtime: readonly number[];
  readonly op?: readonly number[] | undefined;
  readonly noValue?: readonly boolean[] | undefined;
}): Batch {
  const { schema, rows } = options;
  const cols = schema.columns.map((column, c) => {
    const builder = new VecBuilder(column.type, rows.length);
    for (const row of rows) builder.push(row[c] ?? null);
    return builder.build();
  });
  let noValue: Bits | null = null;
  options.noValue?.forEach((set, i) => {
    if (!set) return;
    noValue ??= makeBits(rows.length);
    setBit(noValue, i);
  });
  return {
    schema,
    n: rows.length,
    cols,
    seq: Float64Array.from(options.seq),
    rowtime: Float64Array.from(options.rowtime),
    op: options.op ? Int8Array.from(options.op) : null,
    noValue,
    sel: null,
  };
}

/** 64-bit integers as low and high words (little-endian): read and written without making bigints. */
export function wordsOf(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

/** The size to which something grows that must hold `needed`: twice as much again and again, when large half as much more. */
export function capacityFor(needed: number, current: number): number {
  let capacity = Math.max(64, current);
  while (capacity < needed)
    capacity = capacity < 65_536 ? capacity * 2 : Math.ceil((capacity * 3) / 128) * 64;
  return capacity;
}

export function grownI32(old: Int32Array, needed: number): Int32Array {
  const grown = new Int32Array(capacityFor(needed, old.length));
  grown.set(old);
  return grown;
}

export function grownI64(old: BigInt64Array, needed: number): BigInt64Array {
  const grown = new BigInt64Array(capacityFor(needed, old.length));
  grown.set(old);
  return grown;
}

export function grownF64(old: Float64Array, needed: number): Float64Array {
  const grown = new Float64Array(capacityFor(needed, old.length));
  grown.set(old);
  return grown;
}

/** A bit set with room for n bits that holds what `old` holds; `old` itself when it is large enough. */
export function grownBits(old: Bits | null, n: number): Bits {
  const words = (n + 31) >>> 5;
  if (old !== null && old.length >= words) return old;
  const grown = new Uint32Array(capacityFor(words, 2));
  if (old !== null) grown.set(old);
  return grown;
}
