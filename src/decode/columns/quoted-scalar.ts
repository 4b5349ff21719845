import { daysFromCivil, daysInMonth, MS_PER_DAY } from '../../core/calendar.ts';

/** A number that stands in quotes: its digits as one whole number, how many there are, and how many are a fraction. */
export interface QuotedNumber {
  negative: boolean;
  mantissa: number;
  digits: number;
  fraction: number;
}

/** Filled by `quotedNumber`. */
export const quoted: QuotedNumber = { negative: false, mantissa: 0, digits: 0, fraction: 0 };

/** Reads `-12.50"` at p into `quoted`; the position behind the quote, or -1 when it is anything else. */
export function quotedNumber(bytes: Uint8Array, p: number, end: number): number {
  const negative = bytes[p] === 0x2d;
  let q = negative ? p + 1 : p;
  const first = q;
  let mantissa = 0;
  let c = q < end ? (bytes[q] as number) : 0;
  for (; c >= 0x30 && c <= 0x39; c = ++q < end ? (bytes[q] as number) : 0)
    mantissa = mantissa * 10 + (c - 0x30);
  let digits = q - first;
  if (digits === 0) return -1;
  let fraction = 0;
  if (c === 0x2e) {
    const point = ++q;
    c = q < end ? (bytes[q] as number) : 0;
    for (; c >= 0x30 && c <= 0x39; c = ++q < end ? (bytes[q] as number) : 0) {
      mantissa = mantissa * 10 + (c - 0x30);
    }
    fraction = q - point;
    if (fraction === 0) return -1;
    digits += fraction;
  }
  if (c !== 0x22) return -1;
  quoted.negative = negative;
  quoted.mantissa = mantissa;
  quoted.digits = digits;
  quoted.fraction = fraction;
  return q + 1;
}

/** `2026-11-24"` at p as days since the epoch; NaN when it is anything else. Ten characters and the quote. */
export function quotedDate(bytes: Uint8Array, p: number, end: number): number {
  return p + 11 <= end && bytes[p + 10] === 0x22 ? dateAt(bytes, p) : Number.NaN;
}

/** The ten characters of a day at p, which are there. */
function dateAt(bytes: Uint8Array, p: number): number {
  if (bytes[p + 4] !== 0x2d || bytes[p + 7] !== 0x2d) return Number.NaN;
  const year = twoDigits(bytes, p) * 100 + twoDigits(bytes, p + 2);
  const month = twoDigits(bytes, p + 5);
  const day = twoDigits(bytes, p + 8);
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month))) return Number.NaN;
  return daysFromCivil(year, month, day);
}

/** What `quotedTime` and `quotedTimestamp` read, and the position behind the quote. */
export const quotedAt = { value: 0, end: 0 };

/** `13:05:00.250"` at p into `quotedAt`, as ms of the day. False when it is anything else. */
export function quotedTime(bytes: Uint8Array, p: number, end: number): boolean {
  const q = timeAt(bytes, p, end);
  if (q < 0 || q >= end || bytes[q] !== 0x22) return false;
  quotedAt.end = q + 1;
  return true;
}

/** `2026-11-24T13:05:00.250Z"` at p into `quotedAt`, as ms since the epoch; the Z may be missing. */
export function quotedTimestamp(bytes: Uint8Array, p: number, end: number): boolean {
  if (p + 20 > end || (bytes[p + 10] !== 0x54 && bytes[p + 10] !== 0x20)) return false;
  const days = dateAt(bytes, p);
  let q = timeAt(bytes, p + 11, end);
  if (q < 0 || Number.isNaN(days)) return false;
  if (q < end && bytes[q] === 0x5a) q++;
  if (q >= end || bytes[q] !== 0x22) return false;
  quotedAt.value += days * MS_PER_DAY;
  quotedAt.end = q + 1;
  return true;
}

/** A time of day at p into `quotedAt.value`; the position behind it, or -1. */
function timeAt(bytes: Uint8Array, p: number, end: number): number {
  if (p + 8 > end || bytes[p + 2] !== 0x3a || bytes[p + 5] !== 0x3a) return -1;
  const hours = twoDigits(bytes, p);
  const minutes = twoDigits(bytes, p + 3);
  const seconds = twoDigits(bytes, p + 6);
  if (!(hours <= 23 && minutes <= 59 && seconds <= 59)) return -1;
  let q = p + 8;
  let ms = 0;
  if (q < end && bytes[q] === 0x2e) {
    const point = ++q;
    for (; q < end && q < point + 9; q++) {
      const digit = (bytes[q] as number) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      // digits below a millisecond are cut
      if (q < point + 3) ms += digit * (q === point ? 100 : q === point + 1 ? 10 : 1);
    }
    if (q === point) return -1;
  }
  quotedAt.value = ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
  return q;
}

/** NaN when there are none. */
function twoDigits(bytes: Uint8Array, p: number): number {
  const tens = (bytes[p] as number) - 0x30;
  const ones = (bytes[p + 1] as number) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}
