import { isUtf8 } from 'node:buffer';

/** deeper values are left to the row decoder, which knows the bound */
const MAX_DEPTH = 64;

/**
 * The position behind the well-formed JSON value at `p`, or -1. For fields that nobody reads: they must still be JSON,
 * as the row decoder refuses the whole record otherwise.
 */
export function skipValue(bytes: Uint8Array, p: number, end: number, depth = 0): number {
  if (p >= end || depth > MAX_DEPTH) return -1;
  const c = bytes[p] as number;
  if (c === 0x22) return skipString(bytes, p, end);
  if (c === 0x7b) return skipItems(bytes, p + 1, end, depth + 1, 0x7d);
  if (c === 0x5b) return skipItems(bytes, p + 1, end, depth + 1, 0x5d);
  if (c === 0x2d || (c >= 0x30 && c <= 0x39)) return skipNumber(bytes, p, end);
  return skipWord(bytes, p, end);
}

function skipItems(bytes: Uint8Array, p: number, end: number, depth: number, close: number): number {
  p = skipSpace(bytes, p, end);
  if (p < end && bytes[p] === close) return p + 1;
  for (;;) {
    if (close === 0x7d) {
      if (p >= end || bytes[p] !== 0x22) return -1;
      p = skipString(bytes, p, end);
      if (p < 0) return -1;
      p = skipSpace(bytes, p, end);
      if (p >= end || bytes[p] !== 0x3a) return -1;
      p = skipSpace(bytes, p + 1, end);
    }
    p = skipValue(bytes, p, end, depth);
    if (p < 0) return -1;
    p = skipSpace(bytes, p, end);
    if (p >= end) return -1;
    if (bytes[p] === close) return p + 1;
    if (bytes[p] !== 0x2c) return -1;
    p = skipSpace(bytes, p + 1, end);
  }
}

function skipString(bytes: Uint8Array, p: number, end: number): number {
  const start = p + 1;
  let high = 0;
  for (let q = start; q < end; q++) {
    const c = bytes[q] as number;
    if (c === 0x22) return high < 0x80 || isUtf8(bytes.subarray(start, q)) ? q + 1 : -1;
    if (c < 0x20) return -1;
    if (c === 0x5c) {
      q++;
      const escaped = q < end ? (bytes[q] as number) : 0;
      if (escaped === 0x75) {
        for (let i = 1; i <= 4; i++) if (!isHex(q + i < end ? (bytes[q + i] as number) : 0)) return -1;
        q += 4;
      } else if (!ESCAPED.has(escaped)) return -1;
    }
    high |= c;
  }
  return -1;
}

/** the characters behind a backslash: " \ / b f n r t */
const ESCAPED: ReadonlySet<number> = new Set([0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]);

function isHex(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66);
}

function skipNumber(bytes: Uint8Array, p: number, end: number): number {
  if (bytes[p] === 0x2d) p++;
  const first = p;
  p = skipDigits(bytes, p, end);
  if (p === first || (bytes[first] === 0x30 && p > first + 1)) return -1;
  if (p < end && bytes[p] === 0x2e) {
    const fraction = p + 1;
    p = skipDigits(bytes, fraction, end);
    if (p === fraction) return -1;
  }
  if (p < end && ((bytes[p] as number) | 0x20) === 0x65) {
    p++;
    if (p < end && (bytes[p] === 0x2b || bytes[p] === 0x2d)) p++;
    const exponent = p;
    p = skipDigits(bytes, exponent, end);
    if (p === exponent) return -1;
  }
  return p;
}

function skipDigits(bytes: Uint8Array, p: number, end: number): number {
  while (p < end && (bytes[p] as number) >= 0x30 && (bytes[p] as number) <= 0x39) p++;
  return p;
}

/** Behind `null`, `true` or `false`. */
function skipWord(bytes: Uint8Array, p: number, end: number): number {
  if (standsAt(bytes, p, end, NULL)) return p + 4;
  if (standsAt(bytes, p, end, TRUE)) return p + 4;
  return standsAt(bytes, p, end, FALSE) ? p + 5 : -1;
}

export const NULL = Uint8Array.from([0x6e, 0x75, 0x6c, 0x6c]);
export const TRUE = Uint8Array.from([0x74, 0x72, 0x75, 0x65]);
export const FALSE = Uint8Array.from([0x66, 0x61, 0x6c, 0x73, 0x65]);

export function standsAt(bytes: Uint8Array, p: number, end: number, word: Uint8Array): boolean {
  const n = word.length;
  if (p + n > end) return false;
  for (let i = 0; i < n; i++) if (bytes[p + i] !== word[i]) return false;
  return true;
}

export function skipSpace(bytes: Uint8Array, p: number, end: number): number {
  while (p < end) {
    const c = bytes[p];
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
    p++;
  }
  return p;
}
