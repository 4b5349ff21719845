import { MS_PER_DAY } from '../../core/calendar.ts';
import { timeZone } from '../../core/time-zone.ts';
import { isInt } from '../cast.ts';
import type { EvalContext, ScalarFunction } from '../functions.ts';
import { overload, scalar } from './define.ts';
import { addUnits, MAX_TIMESTAMP, timeUnit } from './time-units.ts';

const category = 'DATE / TIME';
const UNITS = 'Units: MILLISECONDS, SECONDS, MINUTES, HOURS, DAYS, WEEKS, MONTHS, YEARS';

export const timeArithmeticFunctions: readonly ScalarFunction[] = [
  ...shifts('TIMESTAMPADD', 'TIMESTAMPSUB', 'TIMESTAMP', 1, v => v),
  // Hours that do not make a day are lost, as in ksqlDB.
  ...shifts('DATEADD', 'DATESUB', 'DATE', MS_PER_DAY, v => v),
  ...shifts('TIMEADD', 'TIMESUB', 'TIME', 1, v => ((v % MS_PER_DAY) + MS_PER_DAY) % MS_PER_DAY),
  scalar(
    {
      name: 'CONVERT_TZ',
      category,
      description:
        'A timestamp moved by the difference of two time zones: what clocks of the first show, seen as in the second.',
    },
    overload<[number, string, string]>('(TIMESTAMP, STRING, STRING) -> TIMESTAMP', ([at, from, to], ctx) => {
      const [source, target] = [timeZone(from), timeZone(to)];
      if (!source || !target)
        return ctx.fail(`CONVERT_TZ: unknown time zone ${(source ? to : from).slice(0, 60)}`);
      return at + target.offsetAt(at) - source.offsetAt(at);
    }),
  ),
  scalar(
    { name: 'FROM_DAYS', category, description: 'The DATE that many days after 1970-01-01.' },
    overload<[number]>('(INT) -> DATE', ([days]) => days),
  ),
  scalar(
    {
      name: 'FROM_UNIXTIME',
      category,
      description: 'The TIMESTAMP that many milliseconds after 1970-01-01.',
    },
    overload<[bigint]>('(BIGINT) -> TIMESTAMP', ([ms], ctx) => {
      const at = Number(ms);
      return Math.abs(at) <= MAX_TIMESTAMP ? at : ctx.fail('FROM_UNIXTIME: the result is out of range');
    }),
  ),
  scalar(
    { name: 'UNIX_DATE', category, description: 'The days from 1970-01-01 to a date, or to today.' },
    overload<[]>('() -> INT', (_, ctx) => today(ctx)),
    overload<[number]>('(DATE) -> INT', ([days]) => days),
  ),
  scalar(
    {
      name: 'UNIX_TIMESTAMP',
      category,
      description: 'The milliseconds from 1970-01-01 to a timestamp, or to now (the clock of the log).',
    },
    overload<[]>('() -> BIGINT', (_, ctx) => BigInt(ctx.now)),
    overload<[number]>('(TIMESTAMP) -> BIGINT', ([ms]) => BigInt(Math.floor(ms))),
  ),
  scalar(
    {
      name: 'DATE_ADD_DAYS',
      category,
      description: 'The date that many days later (or earlier, when negative).',
    },
    overload<[number, number]>('(DATE, INT) -> DATE', ([days, count], ctx) => {
      const later = days + count;
      return isInt(later) ? later : ctx.fail('DATE_ADD_DAYS: the result is out of range');
    }),
  ),
  scalar(
    {
      name: 'DAYS_BETWEEN',
      category,
      description: 'The days from the second date to the first: the first less the second.',
    },
    overload<[number, number]>('(DATE, DATE) -> INT', ([a, b], ctx) =>
      isInt(a - b) ? a - b : ctx.fail('DAYS_BETWEEN: the result is out of range'),
    ),
  ),
];

function today(ctx: EvalContext): number {
  const offset = timeZone(ctx.zone)?.offsetAt(ctx.now) ?? 0;
  return Math.floor((ctx.now + offset) / MS_PER_DAY);
}

/** The pair of functions that move a value of this type; `size`: ms in one of the type's own steps. */
function shifts(
  add: string,
  subtract: string,
  type: string,
  size: number,
  wrap: (value: number) => number,
): ScalarFunction[] {
  return (
    [
      [add, 1],
      [subtract, -1],
    ] as const
  ).map(([name, sign]) =>
    scalar(
      {
        name,
        category,
        description: `A ${type} ${sign > 0 ? 'later' : 'earlier'} by a number of units: ${name}(DAYS, 3, x). ${UNITS}.`,
      },
      overload<[string, number, number]>(
        `(STRING, INT, ${type}) -> ${type}`,
        ([unitName, count, at], ctx) => {
          const unit = timeUnit(unitName);
          if (!unit) return ctx.fail(`${name}: unknown unit ${unitName.slice(0, 30)}`);
          const moved = addUnits(at * size, unit, sign * count);
          if (moved === null) return ctx.fail(`${name}: the result is out of range`);
          return wrap(Math.floor(moved / size));
        },
      ),
    ),
  );
}
