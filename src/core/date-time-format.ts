import { civilFromDays, dayOfWeek, dayOfYear, daysFromCivil, MS_PER_DAY } from './calendar.ts';
import type { DateTimePattern, NumberField, PatternItem, TextField, TextStyle } from './date-time-pattern.ts';
import type { TimeZone } from './time-zone.ts';

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** From Monday. */
export const WEEKDAYS = [
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
  'Sunday',
] as const;

/** What a pattern prints. A DATE has no time of day, a TIME no date: a pattern that asks for them cannot be printed. */
export interface PrintedMoment {
  readonly days: number | null;
  readonly msOfDay: number | null;
  readonly zone: { readonly zone: TimeZone; readonly utc: number } | null;
}

/** An instant as a zone's clocks show it. */
export function momentAt(utc: number, zone: TimeZone): PrintedMoment {
  const local = utc + zone.offsetAt(utc);
  const days = Math.floor(local / MS_PER_DAY);
  return { days, msOfDay: local - days * MS_PER_DAY, zone: { zone, utc } };
}

/** The text, or null when the pattern asks for something that the moment does not have. */
export function formatMoment(pattern: DateTimePattern, moment: PrintedMoment): string | null {
  return printAll(pattern.items, moment);
}

function printAll(items: readonly PatternItem[], moment: PrintedMoment): string | null {
  let result = '';
  for (const item of items) {
    const printed = printItem(item, moment);
    if (printed === null) return null;
    result += printed;
  }
  return result;
}

function printItem(item: PatternItem, moment: PrintedMoment): string | null {
  switch (item.item) {
    case 'literal':
      return item.text;
    case 'number': {
      const value = numberField(item.field, moment);
      return value === null ? null : signed(value, item);
    }
    case 'reducedYear': {
      const value = numberField(item.field, moment);
      return value === null ? null : String(Math.abs(value) % 100).padStart(2, '0');
    }
    case 'fraction':
      return moment.msOfDay === null
        ? null
        : String(moment.msOfDay % 1000)
            .padStart(3, '0')
            .padEnd(9, '0')
            .slice(0, item.digits);
    case 'text':
      return textField(item.field, item.style, moment);
    case 'optional':
      return printAll(item.items, moment) ?? '';
    case 'pad': {
      const inner = printItem(item.inner, moment);
      return inner === null || inner.length > item.width ? null : inner.padStart(item.width);
    }
    default:
      return moment.zone ? printZone(item, moment.zone.zone, moment.zone.utc) : null;
  }
}

function signed(value: number, item: Extract<PatternItem, { item: 'number' }>): string | null {
  const digits = String(Math.abs(value)).padStart(item.min, '0');
  if (digits.length > item.max) return null;
  if (value < 0) return item.sign === 'none' ? null : `-${digits}`;
  return item.sign === 'exceeds' && digits.length > item.min ? `+${digits}` : digits;
}

function numberField(field: NumberField, { days, msOfDay }: PrintedMoment): number | null {
  switch (field) {
    case 'hour':
    case 'hour24':
    case 'hour12':
    case 'hour11':
    case 'minute':
    case 'second':
    case 'milliOfDay':
    case 'nano':
    case 'nanoOfDay':
      return msOfDay === null ? null : timeField(field, msOfDay);
    default:
      return days === null ? null : dateField(field, days);
  }
}

function timeField(field: NumberField, ms: number): number {
  const hour = Math.floor(ms / 3_600_000);
  switch (field) {
    case 'hour':
      return hour;
    case 'hour24':
      return hour === 0 ? 24 : hour;
    case 'hour12':
      return hour % 12 === 0 ? 12 : hour % 12;
    case 'hour11':
      return hour % 12;
    case 'minute':
      return Math.floor(ms / 60_000) % 60;
    case 'second':
      return Math.floor(ms / 1000) % 60;
    case 'milliOfDay':
      return ms;
    case 'nano':
      return (ms % 1000) * 1_000_000;
    default:
      return ms * 1_000_000;
  }
}

function dateField(field: NumberField, days: number): number {
  const { year, month, day } = civilFromDays(days);
  switch (field) {
    case 'year':
      return year;
    case 'yearOfEra':
      return year > 0 ? year : 1 - year;
    case 'quarter':
      return Math.ceil(month / 3);
    case 'month':
      return month;
    case 'day':
      return day;
    case 'dayOfYear':
      return dayOfYear(days);
    case 'localDayOfWeek':
      return sundayFirst(days);
    case 'weekdayOfMonth':
      return Math.floor((day - 1) / 7) + 1;
    case 'weekOfMonth':
      return Math.floor((days - firstWeek(daysFromCivil(year, month, 1))) / 7) + 1;
    case 'week':
      return Math.floor((days - firstWeek(daysFromCivil(weekYear(days), 1, 1))) / 7) + 1;
    default:
      return weekYear(days);
  }
}

/** 1 is Sunday, 7 is Saturday. */
function sundayFirst(days: number): number {
  return (dayOfWeek(days) % 7) + 1;
}

/** The Sunday that begins the week of this day. */
export function firstWeek(days: number): number {
  return days - sundayFirst(days) + 1;
}

/** Week 1 is the one of January 1st. */
function weekYear(days: number): number {
  const { year } = civilFromDays(days);
  return days >= firstWeek(daysFromCivil(year + 1, 1, 1)) ? year + 1 : year;
}

/** The English text of a field's value: `style` short is three letters. */
export function fieldText(field: TextField, value: number, style: TextStyle): string {
  switch (field) {
    case 'era':
      if (style === 'full') return value === 1 ? 'Anno Domini' : 'Before Christ';
      return style === 'narrow' ? (value === 1 ? 'A' : 'B') : value === 1 ? 'AD' : 'BC';
    case 'amPm':
      return value === 0 ? 'AM' : 'PM';
    case 'quarter':
      if (style === 'narrow') return String(value);
      return style === 'short' ? `Q${value}` : `${['1st', '2nd', '3rd', '4th'][value - 1]} quarter`;
    default: {
      const name = (field === 'month' ? MONTHS[value - 1] : WEEKDAYS[value - 1]) ?? '';
      return style === 'full' ? name : name.slice(0, style === 'short' ? 3 : 1);
    }
  }
}

function textField(field: TextField, style: TextStyle, { days, msOfDay }: PrintedMoment): string | null {
  if (field === 'amPm')
    return msOfDay === null ? null : fieldText(field, msOfDay < MS_PER_DAY / 2 ? 0 : 1, style);
  if (days === null) return null;
  if (field === 'dayOfWeek') return fieldText(field, dayOfWeek(days), style);
  const { year, month } = civilFromDays(days);
  if (field === 'era') return fieldText(field, year > 0 ? 1 : 0, style);
  return fieldText(field, field === 'month' ? month : Math.ceil(month / 3), style);
}

function printZone(
  item: Extract<PatternItem, { item: 'offset' | 'localizedOffset' | 'zone' }>,
  zone: TimeZone,
  utc: number,
): string {
  if (item.item === 'zone') return item.style === 'id' ? zone.id : zoneName(zone, utc, item.style);
  const offset = zone.offsetAt(utc);
  const total = Math.floor(Math.abs(offset) / 1000);
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  const seconds = total % 60;
  const sign = offset < 0 ? '-' : '+';
  const two = (n: number) => String(n).padStart(2, '0');
  if (item.item === 'localizedOffset') {
    if (offset === 0) return 'GMT';
    const tail = seconds === 0 ? '' : `:${two(seconds)}`;
    if (item.long) return `GMT${sign}${two(hours)}:${two(minutes)}${tail}`;
    return `GMT${sign}${hours}${minutes === 0 && seconds === 0 ? '' : `:${two(minutes)}`}${tail}`;
  }
  if (offset === 0) return item.zero;
  const colon = item.shape.includes(':') ? ':' : '';
  let text = `${sign}${two(hours)}`;
  if (item.shape !== 'Hm' || minutes !== 0) text += `${colon}${two(minutes)}`;
  if (item.shape.endsWith('s') && seconds !== 0) text += `${colon}${two(seconds)}`;
  return text;
}

const names = new Map<string, Intl.DateTimeFormat>();

function zoneName(zone: TimeZone, utc: number, style: 'short' | 'long'): string {
  if (!zone.id.includes('/')) return zone.id;
  const key = `${style} ${zone.id}`;
  let format = names.get(key);
  if (!format) {
    if (names.size >= 200) names.clear();
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone.id, timeZoneName: style });
    names.set(key, format);
  }
  return format.formatToParts(utc).find(p => p.type === 'timeZoneName')?.value ?? zone.id;
}
