import { MS_PER_DAY } from '../../core/calendar.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { parseDecimal, rescale } from '../../expr/decimal.ts';
import type { FrameOffset } from '../../expr/window-function.ts';
import { unitMs, unitNamed } from './duration.ts';

/** An offset, or what is wrong with it, and what to write. */
export type OffsetOrRefusal =
  | { readonly offset: FrameOffset }
  | { readonly message: string; readonly hint: string };

/** How far a frame of values reaches, as written, in the unit of the values of the column that orders the rows. */
export function frameOffset(text: string, type: SqlType): OffsetOrRefusal {
  switch (type.kind) {
    case 'INT':
    case 'BIGINT':
      if (!/^\d{1,18}$/.test(text)) return refusal(type.kind, 'a whole number: RANGE 10 PRECEDING');
      return { offset: type.kind === 'INT' ? Number(text) : BigInt(text) };
    case 'DOUBLE':
      if (!/^\d{1,18}(?:\.\d{1,18})?$/.test(text)) return refusal('DOUBLE', 'a number: RANGE 0.5 PRECEDING');
      return { offset: Number(text) };
    case 'DECIMAL': {
      const parsed = /^\d{1,18}(?:\.\d{1,18})?$/.test(text) ? parseDecimal(text) : null;
      if (parsed === null || parsed.scale > type.scale) {
        return refusal('DECIMAL', `a number with at most ${type.scale} digits behind the point`);
      }
      return { offset: rescale(parsed.unscaled, parsed.scale, type.scale) };
    }
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
      return intervalOffset(text, type.kind);
    default:
      return {
        message: 'a RANGE of values needs an order by a number or a time',
        hint: 'write ROWS n PRECEDING, or GROUPS n PRECEDING',
      };
  }
}

function refusal(kind: string, what: string): OffsetOrRefusal {
  return {
    message: `the rows are ordered by a ${kind}: how far the frame reaches is ${what}`,
    hint: `write ${what}`,
  };
}

function intervalOffset(text: string, kind: 'DATE' | 'TIME' | 'TIMESTAMP'): OffsetOrRefusal {
  const [, count, inside, behind] =
    /^INTERVAL '\s*(\d{1,9})(?:\s+([A-Za-z]+))?\s*'(?: ([A-Z]+))?$/.exec(text) ?? [];
  const name = behind ?? inside;
  const unit = name === undefined ? null : unitNamed(name);
  if (count === undefined || unit === null) {
    return refusal(kind, "an interval: RANGE INTERVAL '2' DAY PRECEDING");
  }
  const ms = unitMs(unit);
  if (ms === null) {
    return {
      message: 'months and years have no fixed length: a frame cannot reach so far',
      hint: "write days: RANGE INTERVAL '30' DAY PRECEDING",
    };
  }
  // of a longer interval a TIME takes what is within a day, PostgreSQL says: rather none than one that is not meant
  if (kind === 'TIME' && ms >= MS_PER_DAY) {
    return refusal('TIME', "an interval in hours or less: RANGE INTERVAL '2' HOUR PRECEDING");
  }
  const length = Number(count) * ms;
  if (kind !== 'DATE') return { offset: length };
  if (length % MS_PER_DAY !== 0) return refusal('DATE', "whole days: RANGE INTERVAL '2' DAY PRECEDING");
  return { offset: length / MS_PER_DAY };
}
