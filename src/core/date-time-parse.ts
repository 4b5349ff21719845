import { dayOfWeek, daysFromCivil, daysInMonth, isLeapYear, MS_PER_DAY } from './calendar.ts';
import { fieldText, firstWeek } from './date-time-format.ts';
import type { DateTimePattern, NumberField, PatternItem, TextField } from './date-time-pattern.ts';
import type { TimeZone } from './time-zone.ts';
import { fixedZone, timeZone } from './time-zone.ts';

/** What stood in a text. Missing parts are null; what they default to is the caller's business. */
export interface ParsedDateTime {
  readonly days: number | null;
  readonly msOfDay: number | null;
  /** 1 when the time was 24:00 */
  readonly extraDays: number;
  readonly zone: TimeZone | null;
}

export type ParseResult = ParsedDateTime | { readonly problem: string };

type Fields = Map<NumberField | 'fraction' | 'era' | 'amPm' | 'dayOfWeek', number> & { zone?: TimeZone };

/**
 * Reads a whole text by a pattern: Java's strict reading (widths count) with its lenient-by-one resolution ("smart":
 * the 31st of a shorter month is its last day, 24:00 is the next midnight). Letters match without case.
 */
export function parseDateTime(pattern: DateTimePattern, text: string): ParseResult {
  const fields: Fields = new Map();
  const end = readAll(pattern.items, text, 0, fields);
  if (end !== text.length) {
    const at = end < 0 ? ~end : end;
    return { problem: `"${clip(text)}" does not match "${pattern.text}" at character ${at + 1}` };
  }
  const result = resolve(fields);
  return typeof result === 'string' ? { problem: `"${clip(text)}": ${result}` } : result;
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/** The position after the match, or the complement of the place of the mismatch. */
function readAll(items: readonly PatternItem[], text: string, start: number, fields: Fields): number {
  let at = start;
  for (const item of items) {
    at = readItem(item, text, at, fields);
    if (at < 0) return at;
  }
  return at;
}

function readItem(item: PatternItem, text: string, at: number, fields: Fields): number {
  switch (item.item) {
    case 'literal': {
      const end = at + item.text.length;
      return text.slice(at, end).toLowerCase() === item.text.toLowerCase() ? end : ~at;
    }
    case 'number':
      return readNumber(item, text, at, fields);
    case 'reducedYear': {
      const digits = /^\d{2}/.exec(text.slice(at, at + 2))?.[0];
      return digits === undefined ? ~at : put(fields, item.field, 2000 + Number(digits), at, at + 2);
    }
    case 'fraction': {
      const digits = text.slice(at, at + item.digits);
      if (digits.length < item.digits || !/^\d+$/.test(digits)) return ~at;
      return put(fields, 'fraction', Number(digits.padEnd(9, '0')), at, at + item.digits);
    }
    case 'text':
      return readText(item.field, item.style, text, at, fields);
    case 'optional': {
      const copy: Fields = new Map(fields);
      if (fields.zone) copy.zone = fields.zone;
      const end = readAll(item.items, text, at, copy);
      if (end < 0) return at;
      for (const [field, value] of copy) fields.set(field, value);
      if (copy.zone) fields.zone = copy.zone;
      return end;
    }
    case 'pad': {
      const end = at + item.width;
      if (text.length < end) return ~at;
      const field = text.slice(at, end).trimStart();
      return readItem(item.inner, field, 0, fields) === field.length ? end : ~at;
    }
    default:
      return readZone(item, text, at, fields);
  }
}

/** A field that stands twice must say the same. */
function put(
  fields: Fields,
  field: Parameters<Fields['set']>[0],
  value: number,
  at: number,
  end: number,
): number {
  const before = fields.get(field);
  if (before !== undefined && before !== value) return ~at;
  fields.set(field, value);
  return end;
}

function readNumber(
  item: Extract<PatternItem, { item: 'number' }>,
  text: string,
  start: number,
  fields: Fields,
): number {
  let at = start;
  const sign = item.sign === 'none' ? '' : (/^[+-]/.exec(text[at] ?? '')?.[0] ?? '');
  if (sign === '+' && item.sign === 'normal') return ~at;
  at += sign.length;
  let end = at;
  while (end - at < item.max && isDigit(text.charCodeAt(end))) end++;
  // Digits that belong to the fixed-width numbers behind this one are given back.
  if (item.reserve > 0) end = Math.max(at + item.min, end - item.reserve);
  const width = end - at;
  if (width < item.min || width === 0 || end > text.length) return ~start;
  if (item.sign === 'exceeds') {
    if (sign === '+' && width <= item.min) return ~start;
    if (sign === '' && width > item.min) return ~start;
  }
  const value = Number(text.slice(at, end));
  if (!Number.isSafeInteger(value)) return ~start;
  return put(fields, item.field, sign === '-' ? -value : value, start, end);
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

const TEXT_VALUES: Readonly<Record<TextField, readonly number[]>> = {
  era: [0, 1],
  amPm: [0, 1],
  quarter: [1, 2, 3, 4],
  month: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  dayOfWeek: [1, 2, 3, 4, 5, 6, 7],
};

function readText(
  field: TextField,
  style: 'short' | 'full' | 'narrow',
  text: string,
  at: number,
  fields: Fields,
): number {
  if (style === 'narrow') return ~at;
  for (const value of TEXT_VALUES[field]) {
    const word = fieldText(field, value, style);
    if (text.slice(at, at + word.length).toLowerCase() === word.toLowerCase()) {
      return put(fields, field, value, at, at + word.length);
    }
  }
  return ~at;
}

const OFFSETS = {
  Hm: /^([+-])(\d{2})(?:(\d{2}))?/,
  HM: /^([+-])(\d{2})(\d{2})/,
  'H:M': /^([+-])(\d{2}):(\d{2})/,
  HMs: /^([+-])(\d{2})(\d{2})(\d{2})?/,
  'H:M:s': /^([+-])(\d{2}):(\d{2})(?::(\d{2}))?/,
} as const;
const LOCALIZED = /^(?:GMT|UTC)(?:([+-])(\d{1,2})(?::(\d{2})(?::(\d{2}))?)?)?/i;
const ZONE_ID = /^[A-Za-z][A-Za-z0-9_+\-/]*(?::\d{2})?|^[+-]\d{2}(?::?\d{2})?/;

function readZone(
  item: Extract<PatternItem, { item: 'offset' | 'localizedOffset' | 'zone' }>,
  text: string,
  at: number,
  fields: Fields,
): number {
  const rest = text.slice(at, at + 60);
  if (item.item === 'zone') {
    const id = ZONE_ID.exec(rest)?.[0];
    const zone = id === undefined ? null : timeZone(id);
    if (!zone || id === undefined) return ~at;
    fields.zone = zone;
    return at + id.length;
  }
  if (item.item === 'offset' && rest.slice(0, item.zero.length).toUpperCase() === item.zero) {
    fields.zone = fixedZone(0, 'Z');
    return at + item.zero.length;
  }
  const match = (item.item === 'offset' ? OFFSETS[item.shape] : LOCALIZED).exec(rest);
  if (!match) return ~at;
  const [hours, minutes, seconds] = [2, 3, 4].map(i => Number(match[i] ?? 0));
  if (hours === undefined || minutes === undefined || seconds === undefined) return ~at;
  if (hours > 18 || minutes > 59 || seconds > 59) return ~at;
  const ms = (hours * 3600 + minutes * 60 + seconds) * 1000;
  fields.zone = fixedZone(match[1] === '-' ? -ms : ms);
  return at + match[0].length;
}

const RANGES: readonly (readonly [Parameters<Fields['get']>[0], number, number])[] = [
  ['quarter', 1, 4],
  ['month', 1, 12],
  ['day', 1, 31],
  ['dayOfYear', 1, 366],
  ['week', 1, 54],
  ['weekOfMonth', 0, 6],
  ['localDayOfWeek', 1, 7],
  ['hour', 0, 24],
  ['hour24', 1, 24],
  ['hour12', 1, 12],
  ['hour11', 0, 11],
  ['minute', 0, 59],
  ['second', 0, 59],
  ['milliOfDay', 0, MS_PER_DAY - 1],
  ['nano', 0, 999_999_999],
  ['nanoOfDay', 0, MS_PER_DAY * 1_000_000 - 1],
  ['year', -999_999, 999_999],
  ['yearOfEra', -999_999, 999_999],
  ['weekYear', -999_999, 999_999],
];

function resolve(fields: Fields): ParsedDateTime | string {
  for (const [field, low, high] of RANGES) {
    const value = fields.get(field);
    if (value !== undefined && (value < low || value > high)) {
      return `${field} ${value} is not within ${low} and ${high}`;
    }
  }
  const time = resolveTime(fields);
  if (typeof time === 'string') return time;
  const days = resolveDate(fields);
  if (typeof days === 'string') return days;
  const extra = time === MS_PER_DAY ? 1 : 0;
  return { days, msOfDay: extra ? 0 : time, extraDays: extra, zone: fields.zone ?? null };
}

const HOUR_FIELDS = ['hour', 'hour24', 'hour12', 'hour11'] as const;
const SMALL_FIELDS = ['minute', 'second', 'fraction', 'nano'] as const;

function resolveTime(fields: Fields): number | null | string {
  const milli = fields.get('milliOfDay');
  if (milli !== undefined) return milli;
  const nano = fields.get('nanoOfDay');
  if (nano !== undefined) return Math.floor(nano / 1_000_000);
  if (![...HOUR_FIELDS, ...SMALL_FIELDS].some(f => fields.has(f))) return null;
  const hour = resolveHour(fields);
  const minute = fields.get('minute') ?? 0;
  const second = fields.get('second') ?? 0;
  const fraction = fields.get('fraction') ?? fields.get('nano') ?? 0;
  if (hour === 24 && (minute || second || fraction)) return 'hour 24 is only midnight';
  return ((hour * 60 + minute) * 60 + second) * 1000 + Math.floor(fraction / 1_000_000);
}

function resolveHour(fields: Fields): number {
  const hour = fields.get('hour');
  if (hour !== undefined) return hour;
  const hour24 = fields.get('hour24');
  if (hour24 !== undefined) return hour24 % 24;
  const half = (fields.get('amPm') ?? 0) * 12;
  return half + ((fields.get('hour12') ?? fields.get('hour11') ?? 0) % 12);
}

const DATE_FIELDS = [
  'year',
  'yearOfEra',
  'weekYear',
  'quarter',
  'month',
  'day',
  'dayOfYear',
  'week',
  'dayOfWeek',
  'localDayOfWeek',
] as const;

/** Year 1970, January and the 1st stand in for what the pattern leaves out. */
function resolveDate(fields: Fields): number | null | string {
  if (!DATE_FIELDS.some(f => fields.has(f))) return null;
  const days = resolveDays(fields);
  if (typeof days === 'string') return days;
  const weekday = fields.get('dayOfWeek');
  if (weekday !== undefined && fields.has('day') && dayOfWeek(days) !== weekday) {
    return 'the day of the week is not that of the date';
  }
  return days;
}

function resolveDays(fields: Fields): number | string {
  const week = fields.get('week');
  const weekYear = fields.get('weekYear');
  if (week !== undefined && weekYear !== undefined) {
    const weekday = fields.get('dayOfWeek');
    const local = fields.get('localDayOfWeek') ?? (weekday === undefined ? 1 : (weekday % 7) + 1);
    return firstWeek(daysFromCivil(weekYear, 1, 1)) + (week - 1) * 7 + local - 1;
  }
  const yearOfEra = fields.get('yearOfEra');
  const era = fields.get('era');
  const year =
    fields.get('year') ??
    (yearOfEra !== undefined && era === 0 ? 1 - yearOfEra : yearOfEra) ??
    weekYear ??
    1970;
  const dayOfYear = fields.get('dayOfYear');
  if (dayOfYear !== undefined && !fields.has('month')) {
    if (dayOfYear === 366 && !isLeapYear(year)) return `${year} has no day 366`;
    return daysFromCivil(year, 1, 1) + dayOfYear - 1;
  }
  const quarter = fields.get('quarter');
  const month = fields.get('month') ?? (quarter === undefined ? 1 : quarter * 3 - 2);
  return daysFromCivil(year, month, Math.min(fields.get('day') ?? 1, daysInMonth(year, month)));
}
