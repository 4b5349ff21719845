import { isUtf8 } from 'node:buffer';
import { decodeText } from '../../core/pool.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { DecodeError } from '../decode-error.ts';
import { type JsonCoercion, jsonCoercion } from '../json-coercion.ts';
import { readJson } from '../json-reader.ts';
import type { ColumnSink } from './column-sink.ts';
import { quoted, quotedAt, quotedDate, quotedNumber, quotedTime, quotedTimestamp } from './quoted-scalar.ts';
import { FALSE, NULL, skipValue, standsAt, TRUE } from './skip-value.ts';

/** What a token is read as. */
export const Kind = {
  INT: 0,
  BIGINT: 1,
  DECIMAL: 2,
  DOUBLE: 3,
  STRING: 4,
  BOOLEAN: 5,
  TIMESTAMP: 6,
  /** nobody reads it: any well-formed value */
  ANY: 7,
  /** read as the row decoder does, but from the bytes of the one value */
  OTHER: 8,
  /** like INT, and from ISO 8601 text */
  DATE: 9,
  TIME: 10,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export function scanKind(type: SqlType): Kind {
  switch (type.kind) {
    case 'INT':
      return Kind.INT;
    case 'DATE':
      return Kind.DATE;
    case 'TIME':
      return Kind.TIME;
    case 'BIGINT':
      return Kind.BIGINT;
    case 'DECIMAL':
      return type.precision <= 18 ? Kind.DECIMAL : Kind.OTHER;
    case 'DOUBLE':
      return Kind.DOUBLE;
    case 'STRING':
      return Kind.STRING;
    case 'BOOLEAN':
      return Kind.BOOLEAN;
    case 'TIMESTAMP':
      return Kind.TIMESTAMP;
    default:
      return Kind.OTHER;
  }
}

const POW10 = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);

/** Where one field's values go. */
export interface Target {
  readonly kind: Kind;
  readonly precision: number;
  readonly scale: number;
  /** for OTHER */
  readonly read: JsonCoercion | null;
  /** null: check only */
  sink: ColumnSink | null;
}

/** The target of a column's values; null: of a field that nobody reads. */
export function targetOf(type: SqlType | null): Target {
  const kind = type === null ? Kind.ANY : scanKind(type);
  return {
    kind,
    precision: type?.kind === 'DECIMAL' ? type.precision : 0,
    scale: type?.kind === 'DECIMAL' ? type.scale : 0,
    read: type !== null && kind === Kind.OTHER ? jsonCoercion(type) : null,
    sink: null,
  };
}

/**
 * Reads one JSON scalar at `p` into row `row` of the target; gives the position behind it, or -1 when the token is
 * anything but plain (escapes, exponents, many digits, nested values, wrong types): then the row decoder decides.
 */
export function scanScalar(bytes: Uint8Array, p: number, end: number, target: Target, row: number): number {
  if (target.kind === Kind.ANY) return skipValue(bytes, p, end);
  if (target.kind === Kind.OTHER) return scanOther(bytes, p, end, target, row);
  const c = bytes[p] as number;
  if (c === 0x22) return scanString(bytes, p, end, target, row);
  if (c === 0x2d || (c >= 0x30 && c <= 0x39)) return scanNumber(bytes, p, end, target, row);
  return scanWord(bytes, p, end, target, row);
}

function scanOther(bytes: Uint8Array, p: number, end: number, target: Target, row: number): number {
  const q = skipValue(bytes, p, end);
  if (q < 0 || target.read === null) return -1;
  try {
    const value = target.read(readJson(bytes.subarray(p, q)));
    target.sink?.set(row, value);
    return q;
  } catch (error) {
    if (error instanceof DecodeError) return -1;
    throw error;
  }
}

/** Numbers, days and times that stand in quotes. */
function scanQuoted(bytes: Uint8Array, p: number, end: number, target: Target, row: number): number {
  const { kind, sink } = target;
  const q = quotedNumber(bytes, p, end);
  if (q >= 0) {
    const { negative, mantissa, digits, fraction } = quoted;
    // text is coerced to a whole number only when it is one
    if (fraction > 0 && kind !== Kind.DECIMAL && kind !== Kind.DOUBLE) return -1;
    if (digits > 15) return -1;
    return storeNumber(bytes, p, q, target, row, negative, mantissa, digits, fraction) ? q : -1;
  }
  if (kind === Kind.DATE) {
    const days = quotedDate(bytes, p, end);
    if (Number.isNaN(days)) return -1;
    if (sink !== null) sink.i32[row] = days;
    return p + 11;
  }
  if (kind === Kind.TIME) {
    if (!quotedTime(bytes, p, end)) return -1;
    if (sink !== null) sink.i32[row] = quotedAt.value;
    return quotedAt.end;
  }
  if (kind !== Kind.TIMESTAMP || !quotedTimestamp(bytes, p, end)) return -1;
  if (sink !== null) sink.f64[row] = quotedAt.value;
  return quotedAt.end;
}

function scanString(bytes: Uint8Array, p: number, end: number, target: Target, row: number): number {
  if (target.kind !== Kind.STRING) {
    return target.kind === Kind.BOOLEAN ? -1 : scanQuoted(bytes, p + 1, end, target, row);
  }
  let q = p + 1;
  let high = 0;
  for (; q < end; q++) {
    const c = bytes[q] as number;
    if (c === 0x22) break;
    if (c === 0x5c || c < 0x20) return -1;
    high |= c;
  }
  if (q >= end) return -1;
  if (high >= 0x80 && !isUtf8(bytes.subarray(p + 1, q))) return -1;
  const sink = target.sink;
  if (sink !== null) {
    sink.setSlice(row, p + 1, q);
  }
  return q + 1;
}

function scanNumber(bytes: Uint8Array, p: number, end: number, target: Target, row: number): number {
  let q = p;
  const negative = bytes[q] === 0x2d;
  if (negative) q++;
  const first = q;
  let mantissa = 0;
  let c = q < end ? (bytes[q] as number) : 0;
  while (c >= 0x30 && c <= 0x39) {
    mantissa = mantissa * 10 + (c - 0x30);
    c = ++q < end ? (bytes[q] as number) : 0;
  }
  let digits = q - first;
  if (digits === 0 || (digits > 1 && bytes[first] === 0x30)) return -1;
  let fraction = 0;
  if (c === 0x2e) {
    const point = ++q;
    c = q < end ? (bytes[q] as number) : 0;
    while (c >= 0x30 && c <= 0x39) {
      mantissa = mantissa * 10 + (c - 0x30);
      c = ++q < end ? (bytes[q] as number) : 0;
    }
    fraction = q - point;
    if (fraction === 0) return -1;
    digits += fraction;
  }
  if (c === 0x65 || c === 0x45) return -1;
  return storeNumber(bytes, p, q, target, row, negative, mantissa, digits, fraction) ? q : -1;
}

function storeNumber(
  bytes: Uint8Array,
  p: number,
  q: number,
  target: Target,
  row: number,
  negative: boolean,
  mantissa: number,
  digits: number,
  fraction: number,
): boolean {
  const sink = target.sink;
  switch (target.kind) {
    case Kind.INT:
    case Kind.DATE:
    case Kind.TIME:
      if (fraction > 0 || digits > 9) return false;
      if (sink !== null) sink.i32[row] = negative ? -mantissa : mantissa;
      return true;
    case Kind.BIGINT:
      if (fraction > 0 || digits > 15) return false;
      if (sink !== null) storeWords(sink.words, row, negative ? -mantissa : mantissa);
      return true;
    case Kind.DECIMAL: {
      const scale = target.scale;
      if (fraction > scale || digits + scale - fraction > 15) return false;
      const unscaled = mantissa * (POW10[scale - fraction] as number);
      if (target.precision < 16 && unscaled >= (POW10[target.precision] as number)) return false;
      if (sink !== null) storeWords(sink.words, row, negative ? -unscaled : unscaled);
      return true;
    }
    case Kind.DOUBLE: {
      if (sink === null) return true;
      // exact: both operands are integers below 2^53, so the quotient is rounded once
      const value =
        digits <= 15 ? mantissa / (POW10[fraction] as number) : Math.abs(Number(decodeText(bytes, p, q)));
      sink.f64[row] = negative ? -value : value;
      return true;
    }
    case Kind.TIMESTAMP:
      if (fraction > 0 || digits > 15) return false;
      if (sink !== null) sink.f64[row] = negative && mantissa !== 0 ? -mantissa : mantissa;
      return true;
    case Kind.STRING:
      if (sink !== null) sink.setSlice(row, p, q);
      return true;
    default:
      return false;
  }
}

/** Stores an integer of at most 53 bits as 64-bit two's complement (little-endian words). */
function storeWords(words: Int32Array, row: number, value: number): void {
  const high = Math.floor(value / 4294967296);
  words[row * 2] = (value - high * 4294967296) | 0;
  words[row * 2 + 1] = high;
}

function scanWord(bytes: Uint8Array, p: number, end: number, target: Target, row: number): number {
  const sink = target.sink;
  if (standsAt(bytes, p, end, NULL)) {
    sink?.setNull(row);
    return p + 4;
  }
  const yes = standsAt(bytes, p, end, TRUE);
  if (!yes && !standsAt(bytes, p, end, FALSE)) return -1;
  const q = p + (yes ? 4 : 5);
  if (target.kind === Kind.BOOLEAN) {
    if (sink !== null) sink.i32[row] = yes ? 1 : 0;
  } else if (target.kind === Kind.STRING) {
    if (sink !== null) {
      sink.setSlice(row, p, q);
    }
  } else return -1;
  return q;
}
