import type { Bits, Vec } from '../../core/batch.ts';
import type { GrowingBytes } from '../../core/growing-bytes.ts';
import { SlicePool } from '../../core/pool.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { valueAt, wordsOf } from '../../core/vec.ts';
import { encodeValue } from '../../expr/value-codec.ts';
import { encodeKey } from '../../kv/key-codec.ts';

/** Appends the cell in row i of a column. */
export type CellWriter = (out: GrowingBytes, i: number) => void;

/** Numbers below this are written without a bigint, whatever they are multiplied with on the way. */
const SMALL_HIGH = 2 ** 19;
const SMALL = 2n ** 51n;

/** The bytes of `encodeValue`, straight from a column. */
export function valueCells(vec: Vec, type: SqlType): CellWriter {
  switch (vec.t) {
    case 'i32': {
      const { v, nulls } = vec;
      if (type.kind === 'BOOLEAN') {
        return (out, i) => {
          out.reserve(1);
          out.bytes[out.length++] = isNull(nulls, i) ? 0 : v[i] === 0 ? 1 : 2;
        };
      }
      return (out, i) => {
        out.reserve(11);
        if (isNull(nulls, i)) out.bytes[out.length++] = 0;
        else {
          out.bytes[out.length++] = 1;
          zigzag(out, v[i] as number);
        }
      };
    }
    case 'i64': {
      const { v, nulls } = vec;
      const words = wordsOf(v);
      return (out, i) => {
        const high = words[i * 2 + 1] as number;
        if (isNull(nulls, i) || (high < SMALL_HIGH && high >= -SMALL_HIGH)) {
          out.reserve(11);
          if (isNull(nulls, i)) out.bytes[out.length++] = 0;
          else {
            out.bytes[out.length++] = 1;
            zigzag(out, high * 4294967296 + ((words[i * 2] as number) >>> 0));
          }
        } else out.append(encodeValue(type, v[i] as bigint));
      };
    }
    case 'f64': {
      const { v, nulls } = vec;
      return (out, i) => {
        out.reserve(9);
        if (isNull(nulls, i)) out.bytes[out.length++] = 0;
        else {
          const value = v[i] as number;
          out.bytes[out.length] = 1;
          // one NaN, so that equal values give equal bytes
          out.view.setFloat64(out.length + 1, Number.isNaN(value) ? Number.NaN : value, true);
          out.length += 9;
        }
      };
    }
    case 'str': {
      const { v, nulls, pool } = vec;
      return (out, i) => {
        out.reserve(11);
        if (isNull(nulls, i)) {
          out.bytes[out.length++] = 0;
          return;
        }
        out.bytes[out.length++] = 1;
        const id = v[i] as number;
        if (pool instanceof SlicePool && (pool.start[id] as number) < pool.data.length) {
          const start = pool.start[id] as number;
          const end = pool.end[id] as number;
          varint(out, end - start);
          out.copy(pool.data, start, end);
        } else {
          const bytes = pool.bytes(id);
          varint(out, bytes.length);
          out.append(bytes);
        }
      };
    }
    case 'val':
      if (type.kind === 'DECIMAL')
        return (out, i) => decimalCell(out, type, (vec.v[i] ?? null) as bigint | null);
      return (out, i) => out.append(encodeValue(type, vec.v[i] ?? null));
  }
}

function decimalCell(out: GrowingBytes, type: SqlType, value: bigint | null): void {
  out.reserve(11);
  if (value === null) out.bytes[out.length++] = 0;
  else if (value <= SMALL && value >= -SMALL) {
    out.bytes[out.length++] = 1;
    zigzag(out, Number(value));
  } else out.append(encodeValue(type, value));
}

/** The bytes of `encodeKey` for one value, straight from a column. */
export function keyCells(vec: Vec, type: SqlType): CellWriter {
  const types = [type];
  const general: CellWriter = (out, i) => out.append(encodeKey([valueAt(vec, type, i)], types));
  if (vec.t === 'str') {
    const { v, nulls, pool } = vec;
    if (!(pool instanceof SlicePool)) return general;
    const { data } = pool;
    return (out, i) => {
      const id = v[i] as number;
      const start = pool.start[id] as number;
      const end = pool.end[id] as number;
      if (isNull(nulls, i) || start >= data.length) {
        general(out, i);
        return;
      }
      const from = out.length;
      out.reserve(2 * (end - start) + 3);
      const { bytes } = out;
      let at = from;
      bytes[at++] = 1;
      for (let p = start; p < end; p++) {
        const byte = data[p] as number;
        bytes[at++] = byte;
        if (byte === 0) bytes[at++] = 0xff;
      }
      bytes[at++] = 0;
      bytes[at++] = 1;
      out.length = at;
    };
  }
  if (vec.t === 'i64') {
    const { v, nulls } = vec;
    const words = wordsOf(v);
    return (out, i) => {
      const high = words[i * 2 + 1] as number;
      const low = (words[i * 2] as number) >>> 0;
      if (isNull(nulls, i) || high < 0) {
        general(out, i);
        return;
      }
      const size = high === 0 ? bytesOf(low) : 4 + bytesOf(high);
      out.reserve(10);
      const { bytes } = out;
      let at = out.length;
      bytes[at++] = 1;
      bytes[at++] = 0x80 + size;
      for (let b = size - 1; b >= 4; b--) bytes[at++] = high >>> (8 * (b - 4));
      for (let b = Math.min(size, 4) - 1; b >= 0; b--) bytes[at++] = low >>> (8 * b);
      out.length = at;
    };
  }
  return general;
}

/** Bytes that a number below 2^32 takes. */
function bytesOf(value: number): number {
  return (39 - Math.clz32(value)) >>> 3;
}

function isNull(nulls: Bits | null, i: number): boolean {
  return nulls !== null && (((nulls[i >>> 5] as number) >>> (i & 31)) & 1) === 1;
}

/** Room for ten bytes is there. */
function zigzag(out: GrowingBytes, value: number): void {
  varint(out, value >= 0 ? value * 2 : -value * 2 - 1);
}

function varint(out: GrowingBytes, value: number): void {
  const { bytes } = out;
  let at = out.length;
  let rest = value;
  for (; rest >= 0x8000_0000; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  out.length = at;
}
