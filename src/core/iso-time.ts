import { civilFromDays, daysFromCivil, daysInMonth, MS_PER_DAY } from './calendar.ts';

/** DATE, TIME and TIMESTAMP as ISO 8601 text, the forms that CAST and literals know. Always UTC. */

const two = (n: number): string => String(n).padStart(2, '0');

/** `2026-11-24` */
export function formatDate(days: number): string {
  const { year, month, day } = civilFromDays(days);
  const y = year < 0 ? `-${String(-year).padStart(4, '0')}` : String(year).padStart(4, '0');
  return `${y}-${two(month)}-${two(day)}`;
}

/** `13:05:00`, with milliseconds only when there are any: `13:05:00.250` */
export function formatTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const rest = ms % 1000;
  return rest === 0 ? text : `${text}.${String(rest).padStart(3, '0')}`;
}

/** `2026-11-24T13:05:00.000`, always with milliseconds and without a zone */
export function formatTimestamp(ms: number): string {
  const days = Math.floor(ms / MS_PER_DAY);
  const time = ms - days * MS_PER_DAY;
  const rest = String(time % 1000).padStart(3, '0');
  return `${formatDate(days)}T${formatTime(time - (time % 1000))}.${rest}`;
}

const DATE_TEXT = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/;
const TIME_TEXT = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/;
const TIMESTAMP_TEXT =
  /^(\d{4}(?:-\d{2}(?:-\d{2})?)?)(?:[T ](?:(\d{2})|(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/;

/** Days; parts may be left off at the end (`2020-05`). null when the text is no date. */
export function parseDate(text: string): number | null {
  const match = DATE_TEXT.exec(text.trim());
  if (!match) return null;
  const year = Number(match[1]);
  const month = Number(match[2] ?? '1');
  const day = Number(match[3] ?? '1');
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  return daysFromCivil(year, month, day);
}

/** Milliseconds of the day; seconds may be left off. Digits below a millisecond are cut. null when no time. */
export function parseTime(text: string): number | null {
  const match = TIME_TEXT.exec(text.trim());
  if (!match) return null;
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number(match[3] ?? '0')];
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  const ms = Number((match[4] ?? '').padEnd(3, '0').slice(0, 3));
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}

/** Milliseconds since the epoch; without a zone UTC; parts may be left off at the end. null when no timestamp. */
export function parseTimestamp(text: string): number | null {
  const match = TIMESTAMP_TEXT.exec(text.trim());
  if (!match) return null;
  const days = parseDate(match[1] ?? '');
  const time = parseTime(match[3] ?? `${match[2] ?? '00'}:00`);
  if (days === null || time === null) return null;
  return days * MS_PER_DAY + time - offset(match[4] ?? 'Z');
}

function offset(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || '0');
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
