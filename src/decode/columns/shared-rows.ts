import type { Bits, Vec } from '../../core/batch.ts';
import { ColumnMemory } from '../../core/column-memory.ts';
import type { KeyDictionary } from '../../core/key-dictionary.ts';
import type { SharedBytes } from '../../core/log-record.ts';
import { SlicePool } from '../../core/pool.ts';
import type { Column } from '../../core/schema.ts';
import { identity, vecKind } from '../../core/vec.ts';
import type { DecodedBlock } from './block-decoder.ts';

/**
 * Decoded rows in memory that two threads share: one decodes into it, the other takes them as if it had decoded them
 * itself. First stand numbers: how many rows, then where everything begins; a place of 0 is none.
 */

/** rows, `record`, `rowtime`, `noValue` */
const HEAD = 4;
/** values or starts of texts, ends of texts, NULLs */
const PER_COLUMN = 3;
const NOWHERE = 0;

/** A stretch of shared memory that is given out piece by piece. */
export class SharedSpace {
  readonly buffer: SharedArrayBuffer;
  #at = 0;
  #end = 0;
  /** there was no room for a piece */
  full = false;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
  }

  begin({ at, end }: { readonly at: number; readonly end: number }): void {
    this.#at = (at + 7) & ~7;
    this.#end = end;
    this.full = false;
  }

  /** Where the piece begins, a multiple of 8; null: no room. */
  take(bytes: number): number | null {
    const at = this.#at;
    if (at + bytes > this.#end) {
      this.full = true;
      return null;
    }
    this.#at = (at + bytes + 7) & ~7;
    return at;
  }
}

/** Memory for a column of the decoder, in the space while it has room. */
export class SharedColumnMemory extends ColumnMemory {
  readonly #space: SharedSpace;

  constructor(space: SharedSpace) {
    super();
    this.#space = space;
  }

  override i32(n: number): Int32Array {
    const at = n === 0 ? null : this.#space.take(n * 4);
    return at === null ? super.i32(n) : new Int32Array(this.#space.buffer, at, n);
  }

  override f64(n: number): Float64Array {
    const at = n === 0 ? null : this.#space.take(n * 8);
    return at === null ? super.f64(n) : new Float64Array(this.#space.buffer, at, n);
  }

  override i64(n: number): BigInt64Array {
    const at = n === 0 ? null : this.#space.take(n * 8);
    return at === null ? super.i64(n) : new BigInt64Array(this.#space.buffer, at, n);
  }

  override end(n: number): Int32Array {
    return n === 0 ? super.end(n) : this.i32(n);
  }
}

/** Whether rows with these columns can be shared: others hold values that are objects. */
export function canShare(columns: readonly Column[]): boolean {
  return columns.every(c => vecKind(c.type) !== 'val');
}

/** Room for what `shareRows` writes first. */
export function headOf(columns: number): number {
  return (HEAD + PER_COLUMN * columns) * 8;
}

/**
 * Says at `at` where rows lie that were decoded into the space. False: something of them does not lie there (failures,
 * texts that do not stand in the records), whoever wants them must decode them again.
 */
export function shareRows(space: SharedSpace, at: number, decoded: DecodedBlock): boolean {
  if (decoded.failures.length > 0) return false;
  const numbers = [
    decoded.n,
    decoded.record.byteOffset,
    decoded.rowtime.byteOffset,
    sharedBits(space, decoded.noValue),
  ];
  for (const vec of decoded.cols) {
    if (vec.t === 'val') return false;
    if (vec.t !== 'str') numbers.push(vec.v.byteOffset, NOWHERE);
    else if (vec.pool instanceof SlicePool && vec.pool.literal) {
      numbers.push(vec.pool.start.byteOffset, vec.pool.end.byteOffset);
    } else return false;
    numbers.push(sharedBits(space, vec.nulls));
  }
  if (space.full) return false;
  new Float64Array(space.buffer, at, numbers.length).set(numbers);
  return true;
}

function sharedBits(space: SharedSpace, bits: Bits | null): number {
  const at = bits === null ? null : space.take(bits.byteLength);
  if (bits === null || at === null) return NOWHERE;
  new Uint32Array(space.buffer, at, bits.length).set(bits);
  return at;
}

/** The rows that `shareRows` told of. `bytes`: of the records; `dictionaries`: of the columns. */
export function sharedRows(
  { buffer, at }: SharedBytes,
  columns: readonly Column[],
  bytes: Uint8Array,
  dictionaries: readonly (KeyDictionary | null)[],
): DecodedBlock {
  const numbers = new Float64Array(buffer, at, HEAD + PER_COLUMN * columns.length);
  const [n = 0, record = 0, rowtime = 0, noValue = NOWHERE] = numbers;
  const bits = (from: number): Bits | null =>
    from === NOWHERE ? null : new Uint32Array(buffer, from, (n + 31) >>> 5);
  const cols = columns.map((column, c): Vec => {
    const k = HEAD + PER_COLUMN * c;
    const from = numbers[k] as number;
    const nulls = bits(numbers[k + 2] as number);
    switch (vecKind(column.type)) {
      case 'i32':
        return { t: 'i32', v: new Int32Array(buffer, from, n), nulls };
      case 'i64':
        return { t: 'i64', v: new BigInt64Array(buffer, from, n), nulls };
      case 'f64':
        return { t: 'f64', v: new Float64Array(buffer, from, n), nulls };
      default: {
        const ends = new Int32Array(buffer, numbers[k + 1] as number, n);
        const pool = new SlicePool(bytes, new Int32Array(buffer, from, n), ends, null, dictionaries[c]);
        return { t: 'str', v: identity(n), pool, nulls };
      }
    }
  });
  return {
    n,
    cols,
    record: new Int32Array(buffer, record, n),
    rowtime: new Float64Array(buffer, rowtime, n),
    noValue: bits(noValue),
    failures: [],
  };
}
