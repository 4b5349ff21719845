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
/** values or starts of texts, ends of texts, texts that stand side by side and how many bytes, NULLs */
const PER_COLUMN = 5;
const NOWHERE = 0;
/** bytes of a text, on average, up to which texts are put side by side */
const SHORT = 32;

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
    if (vec.t !== 'str') numbers.push(vec.v.byteOffset, NOWHERE, NOWHERE, 0);
    else if (vec.pool instanceof SlicePool && vec.pool.literal) {
      const texts = sharedTexts(space, vec.pool, vec.nulls, decoded.n);
      numbers.push(vec.pool.start.byteOffset, vec.pool.end.byteOffset, texts.at, texts.length);
    } else return false;
    numbers.push(sharedBits(space, vec.nulls));
  }
  if (space.full) return false;
  new Float64Array(space.buffer, at, numbers.length).set(numbers);
  return true;
}

/**
 * Short texts side by side, which whoever reads one after the other gets with far fewer loads than out of the records; long
 * ones stay there.
 */
function sharedTexts(
  space: SharedSpace,
  { data, start, end }: SlicePool,
  nulls: Bits | null,
  n: number,
): { readonly at: number; readonly length: number } {
  let length = 0;
  for (let i = 0; i < n; i++) length += (end[i] as number) - (start[i] as number);
  // of a NULL row the range is left over from another
  if (nulls !== null || n === 0 || length > n * SHORT) return { at: NOWHERE, length: 0 };
  const at = space.take(length + 4);
  if (at === null) return { at: NOWHERE, length: 0 };
  const from = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const to = new DataView(space.buffer, at, length + 4);
  let next = 0;
  for (let i = 0; i < n; i++) {
    let p = start[i] as number;
    const stop = end[i] as number;
    start[i] = next;
    for (; p + 4 <= stop; p += 4, next += 4) to.setInt32(next, from.getInt32(p, true), true);
    for (; p < stop; p++) to.setUint8(next++, from.getUint8(p));
    end[i] = next;
  }
  return { at, length };
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
    const nulls = bits(numbers[k + 4] as number);
    switch (vecKind(column.type)) {
      case 'i32':
        return { t: 'i32', v: new Int32Array(buffer, from, n), nulls };
      case 'i64':
        return { t: 'i64', v: new BigInt64Array(buffer, from, n), nulls };
      case 'f64':
        return { t: 'f64', v: new Float64Array(buffer, from, n), nulls };
      default: {
        const ends = new Int32Array(buffer, numbers[k + 1] as number, n);
        const texts = numbers[k + 2] as number;
        const data = texts === NOWHERE ? bytes : new Uint8Array(buffer, texts, numbers[k + 3] as number);
        const pool = new SlicePool(data, new Int32Array(buffer, from, n), ends, null, dictionaries[c]);
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
