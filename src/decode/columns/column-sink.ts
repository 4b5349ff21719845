import type { Bits, Vec } from '../../core/batch.ts';
import { clearBit, makeBits, setBit } from '../../core/bits.ts';
import type { ColumnMemory } from '../../core/column-memory.ts';
import type { KeyDictionary } from '../../core/key-dictionary.ts';
import { SlicePool } from '../../core/pool.ts';
import type { SqlType } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { identity, vecKind, wordsOf } from '../../core/vec.ts';

const encoder = new TextEncoder();

/**
 * One column of a block while it is decoded. Fast paths write into the typed arrays directly; `set` takes any value.
 * Rows may be written again until the next one is begun (a fast path gave up halfway).
 */
export class ColumnSink {
  readonly type: SqlType;
  readonly kind: Vec['t'];
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly i64: BigInt64Array;
  /** `i64` as low and high words, so that a value below 2^53 is stored without making a bigint */
  readonly words: Int32Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly values: (Value | null)[];
  nulls: Bits | null = null;
  readonly #data: Uint8Array;
  readonly #capacity: number;
  #extra = new Uint8Array(0);
  #extraLength = 0;

  /** numbers the texts, while they are decoded when `keys` is there */
  readonly dictionary: KeyDictionary | null;
  /** per row the number of its text, or 0 */
  readonly keys: Int32Array | null;

  /** `memory` and `dictionary`: of the column, over all blocks. */
  constructor(
    type: SqlType,
    capacity: number,
    data: Uint8Array,
    memory: ColumnMemory,
    dictionary: KeyDictionary | null = null,
  ) {
    this.dictionary = dictionary;
    this.keys = dictionary?.wanted && dictionary.begin(capacity) ? memory.zeros(capacity) : null;
    this.type = type;
    this.kind = vecKind(type);
    this.i32 = memory.i32(this.kind === 'i32' ? capacity : 0);
    this.f64 = memory.f64(this.kind === 'f64' ? capacity : 0);
    this.i64 = memory.i64(this.kind === 'i64' ? capacity : 0);
    this.words = wordsOf(this.i64);
    this.start = memory.i32(this.kind === 'str' ? capacity : 0);
    this.end = memory.end(this.kind === 'str' ? capacity : 0);
    this.values = this.kind === 'val' ? new Array<Value | null>(capacity).fill(null) : [];
    this.#data = data;
    this.#capacity = capacity;
  }

  /** A text that stands in the records. */
  setSlice(row: number, start: number, end: number): void {
    this.start[row] = start;
    this.end[row] = end;
    // a number of what stood in the row before is not its own
    if (this.keys !== null) this.keys[row] = 0;
  }

  setNull(row: number): void {
    if (this.kind === 'val') {
      this.values[row] = null;
      return;
    }
    this.nulls ??= makeBits(this.#capacity);
    setBit(this.nulls, row);
  }

  set(row: number, value: Value | null): void {
    if (value === null) {
      this.setNull(row);
      return;
    }
    if (this.nulls !== null) clearBit(this.nulls, row);
    switch (this.kind) {
      case 'i32':
        this.i32[row] = typeof value === 'boolean' ? (value ? 1 : 0) : (value as number);
        return;
      case 'f64':
        this.f64[row] = value as number;
        return;
      case 'i64':
        this.i64[row] = value as bigint;
        return;
      case 'str':
        this.#setBytes(row, typeof value === 'string' ? encoder.encode(value) : (value as Uint8Array));
        return;
      case 'val':
        this.values[row] = value;
    }
  }

  /** The value of a row back as text bytes; for the timestamp column. */
  #setBytes(row: number, bytes: Uint8Array): void {
    const at = this.#extraLength;
    if (at + bytes.length > this.#extra.length) {
      const grown = new Uint8Array(Math.max(256, this.#extra.length * 2, at + bytes.length));
      grown.set(this.#extra.subarray(0, at));
      this.#extra = grown;
    }
    this.#extra.set(bytes, at);
    this.#extraLength = at + bytes.length;
    if (this.keys !== null) this.keys[row] = 0;
    this.start[row] = this.#data.length + at;
    this.end[row] = this.#data.length + at + bytes.length;
  }

  /** The column of the first n rows. */
  build(n: number): Vec {
    const nulls = this.nulls;
    switch (this.kind) {
      case 'i32':
        return { t: 'i32', v: this.i32, nulls };
      case 'i64':
        return { t: 'i64', v: this.i64, nulls };
      case 'f64':
        return { t: 'f64', v: this.f64, nulls };
      case 'str':
        return {
          t: 'str',
          v: identity(n),
          pool: new SlicePool(
            this.#data,
            this.start,
            this.end,
            this.#extraLength === 0 ? null : this.#extra,
            this.dictionary,
            this.keys,
          ),
          nulls,
        };
      case 'val':
        return { t: 'val', v: this.values };
    }
  }
}
