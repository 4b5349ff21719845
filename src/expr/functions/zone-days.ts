import { MS_PER_DAY } from '../../core/calendar.ts';
import { timeZone, UTC } from '../../core/time-zone.ts';
import type { ScalarFunction } from '../functions.ts';
import { overload, scalar } from './define.ts';

const category = 'DATE / TIME';

/** Days as the server's zone has them; temporal filters compare with CURRENT_DATE through these. */
export const zoneDayFunctions: readonly ScalarFunction[] = [
  scalar(
    {
      name: 'START_OF_DAY',
      category,
      description: "The instant at which a date begins in the server's zone.",
    },
    overload<[number]>('(DATE) -> TIMESTAMP', ([days], ctx) =>
      (timeZone(ctx.zone) ?? UTC).toUtc(days * MS_PER_DAY),
    ),
  ),
  scalar(
    {
      name: 'DATE_IN_ZONE',
      category,
      description: "The date that the server's zone shows at an instant.",
    },
    overload<[number]>('(TIMESTAMP) -> DATE', ([at], ctx) =>
      Math.floor((at + (timeZone(ctx.zone) ?? UTC).offsetAt(at)) / MS_PER_DAY),
    ),
  ),
];
