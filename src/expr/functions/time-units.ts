import { addMonths, MS_PER_DAY } from '../../core/calendar.ts';

/** A unit of time by its name, singular or plural; null when there is none. */
export type TimeUnit = { readonly ms: number } | { readonly months: number };

const UNITS: ReadonlyMap<string, TimeUnit> = new Map<string, TimeUnit>([
  ['NANOSECOND', { ms: 1e-6 }],
  ['MICROSECOND', { ms: 1e-3 }],
  ['MILLISECOND', { ms: 1 }],
  ['SECOND', { ms: 1000 }],
  ['MINUTE', { ms: 60_000 }],
  ['HOUR', { ms: 3_600_000 }],
  ['DAY', { ms: MS_PER_DAY }],
  ['WEEK', { ms: 7 * MS_PER_DAY }],
  ['MONTH', { months: 1 }],
  ['QUARTER', { months: 3 }],
  ['YEAR', { months: 12 }],
]);

export function timeUnit(name: string): TimeUnit | null {
  const upper = name.trim().toUpperCase();
  return UNITS.get(upper) ?? UNITS.get(upper.replace(/S$/, '')) ?? null;
}

/** The latest instant of JavaScript's and Java's calendars that both print; beyond it arithmetic fails. */
export const MAX_TIMESTAMP = 8.64e15;

/** A time some units later, ms; fractions of a millisecond are cut. null: out of range. */
export function addUnits(at: number, unit: TimeUnit, count: number): number | null {
  let result: number;
  if ('ms' in unit) result = at + Math.trunc(count * unit.ms);
  else {
    const days = Math.floor(at / MS_PER_DAY);
    result = addMonths(days, count * unit.months) * MS_PER_DAY + (at - days * MS_PER_DAY);
  }
  return Math.abs(result) <= MAX_TIMESTAMP ? result : null;
}
