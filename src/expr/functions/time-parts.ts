import {
  civilFromDays,
  dayOfWeek,
  dayOfYear,
  daysFromCivil,
  isoWeek,
  MS_PER_DAY,
} from '../../core/calendar.ts';
import type { ScalarFunction } from '../functions.ts';
import { overload, scalar } from './define.ts';

const category = 'DATE / TIME';

/** A moment by its day and the milliseconds of the day, UTC. */
interface Moment {
  readonly days: number;
  readonly ms: number;
}

const DATE_PARTS: ReadonlyMap<string, (days: number) => number> = new Map([
  ['MILLENNIUM', days => centuries(days, 1000)],
  ['CENTURY', days => centuries(days, 100)],
  ['DECADE', days => Math.floor(civilFromDays(days).year / 10)],
  ['YEAR', days => beforeChrist(civilFromDays(days).year)],
  ['ISOYEAR', days => beforeChrist(isoWeek(days).year)],
  ['QUARTER', days => Math.ceil(civilFromDays(days).month / 3)],
  ['MONTH', days => civilFromDays(days).month],
  ['WEEK', days => isoWeek(days).week],
  ['DAY', days => civilFromDays(days).day],
  ['DOY', dayOfYear],
  // Sunday is 0
  ['DOW', days => dayOfWeek(days) % 7],
  // Sunday is 7
  ['ISODOW', dayOfWeek],
  ['JULIAN', days => days + 2_440_588],
] as const satisfies readonly (readonly [string, (days: number) => number])[]);

const TIME_PARTS: ReadonlyMap<string, (ms: number) => number> = new Map([
  ['HOUR', ms => Math.floor(ms / 3_600_000)],
  ['MINUTE', ms => Math.floor(ms / 60_000) % 60],
  ['SECOND', ms => (ms % 60_000) / 1000],
  ['MILLISECONDS', ms => ms % 60_000],
  ['MICROSECONDS', ms => (ms % 60_000) * 1000],
] as const satisfies readonly (readonly [string, (ms: number) => number])[]);

const PARTS = [...DATE_PARTS.keys(), ...TIME_PARTS.keys(), 'EPOCH'].join(', ');

/** PostgreSQL's EXTRACT and DATE_TRUNC, in UTC. */
export const timePartFunctions: readonly ScalarFunction[] = [
  scalar(
    {
      name: 'EXTRACT',
      aliases: ['DATE_PART'],
      category,
      description: `A part of a date or time as a number: EXTRACT(YEAR FROM x). Parts: ${PARTS}.`,
    },
    overload<[string, number]>('(STRING, TIMESTAMP) -> DOUBLE', ([name, at], ctx) => {
      return (
        part(name, moment(at), at / 1000) ?? ctx.fail(`EXTRACT: a TIMESTAMP has no ${name.slice(0, 30)}`)
      );
    }),
    overload<[string, number]>('(STRING, DATE) -> DOUBLE', ([name, days], ctx) => {
      return (
        part(name, { days, ms: 0 }, days * (MS_PER_DAY / 1000)) ??
        ctx.fail(`EXTRACT: a DATE has no ${name.slice(0, 30)}`)
      );
    }),
    overload<[string, number]>('(STRING, TIME) -> DOUBLE', ([name, ms], ctx) => {
      return (
        part(name, { days: null, ms }, ms / 1000) ?? ctx.fail(`EXTRACT: a TIME has no ${name.slice(0, 30)}`)
      );
    }),
  ),
  scalar(
    {
      name: 'DATE_TRUNC',
      category,
      description:
        "The beginning of the unit in which a time lies: DATE_TRUNC('month', x); weeks begin on Monday.",
    },
    overload<[string, number]>('(STRING, TIMESTAMP) -> TIMESTAMP', ([unit, at], ctx) => {
      return truncated(unit, moment(at)) ?? ctx.fail(`DATE_TRUNC: unknown unit ${unit.slice(0, 30)}`);
    }),
    overload<[string, number]>('(STRING, DATE) -> TIMESTAMP', ([unit, days], ctx) => {
      return truncated(unit, { days, ms: 0 }) ?? ctx.fail(`DATE_TRUNC: unknown unit ${unit.slice(0, 30)}`);
    }),
  ),
];

function moment(at: number): Moment {
  const days = Math.floor(at / MS_PER_DAY);
  return { days, ms: at - days * MS_PER_DAY };
}

function part(
  name: string,
  { days, ms }: { readonly days: number | null; readonly ms: number },
  epoch: number,
): number | null {
  const upper = name.trim().toUpperCase();
  if (upper === 'EPOCH') return epoch;
  const ofTime = TIME_PARTS.get(upper) ?? TIME_PARTS.get(upper.replace(/S$/, ''));
  if (ofTime) return ofTime(ms);
  const ofDate = DATE_PARTS.get(upper) ?? DATE_PARTS.get(upper.replace(/S$/, ''));
  return ofDate && days !== null ? ofDate(days) : null;
}

/** There is no year 0: 1 BC is -1. */
function beforeChrist(year: number): number {
  return year > 0 ? year : year - 1;
}

/** The year 2000 is in the 20th century, 2001 in the 21st; years before Christ count backwards. */
function centuries(days: number, size: number): number {
  const { year } = civilFromDays(days);
  return year > 0 ? Math.ceil(year / size) : -Math.ceil((1 - year) / size);
}

const SMALL_UNITS: ReadonlyMap<string, number> = new Map([
  ['MICROSECONDS', 1],
  ['MILLISECONDS', 1],
  ['SECOND', 1000],
  ['MINUTE', 60_000],
  ['HOUR', 3_600_000],
  ['DAY', MS_PER_DAY],
]);

function truncated(unit: string, { days, ms }: Moment): number | null {
  const upper = unit.trim().toUpperCase();
  const small = SMALL_UNITS.get(upper);
  if (small !== undefined) return days * MS_PER_DAY + ms - (ms % small);
  const day = firstDay(upper, days);
  return day === null ? null : day * MS_PER_DAY;
}

function firstDay(unit: string, days: number): number | null {
  const { year, month } = civilFromDays(days);
  switch (unit) {
    case 'WEEK':
      return days - dayOfWeek(days) + 1;
    case 'MONTH':
      return daysFromCivil(year, month, 1);
    case 'QUARTER':
      return daysFromCivil(year, month - ((month - 1) % 3), 1);
    case 'YEAR':
      return daysFromCivil(year, 1, 1);
    case 'DECADE':
      return daysFromCivil(Math.floor(year / 10) * 10, 1, 1);
    case 'CENTURY':
      return daysFromCivil(Math.floor((year - 1) / 100) * 100 + 1, 1, 1);
    case 'MILLENNIUM':
      return daysFromCivil(Math.floor((year - 1) / 1000) * 1000 + 1, 1, 1);
    default:
      return null;
  }
}
