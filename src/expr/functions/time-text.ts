import { MS_PER_DAY } from '../../core/calendar.ts';
import type { PrintedMoment } from '../../core/date-time-format.ts';
import { formatMoment, momentAt } from '../../core/date-time-format.ts';
import type { ParsedDateTime } from '../../core/date-time-parse.ts';
import { parseDateTime } from '../../core/date-time-parse.ts';
import type { DateTimePattern } from '../../core/date-time-pattern.ts';
import { dateTimePattern } from '../../core/date-time-pattern.ts';
import { MillraceError } from '../../core/errors.ts';
import { timeZone } from '../../core/time-zone.ts';
import type { EvalContext, ScalarFunction } from '../functions.ts';
import { overload, scalar } from './define.ts';
import { MAX_TIMESTAMP } from './time-units.ts';

const category = 'DATE / TIME';
const PATTERNS = "Patterns are Java's, such as yyyy-MM-dd''T''HH:mm:ss.SSS";
const ZONES = "A time zone may follow; else the server's zone holds";

export const timeTextFunctions: readonly ScalarFunction[] = [
  scalar(
    { name: 'FORMAT_DATE', category, description: `A DATE as text in a pattern. ${PATTERNS}.` },
    overload<[number, string]>('(DATE, STRING) -> STRING', ([days, pattern], ctx) =>
      format('FORMAT_DATE', { days, msOfDay: null, zone: null }, pattern, ctx),
    ),
  ),
  scalar(
    { name: 'FORMAT_TIME', category, description: `A TIME as text in a pattern. ${PATTERNS}.` },
    overload<[number, string]>('(TIME, STRING) -> STRING', ([msOfDay, pattern], ctx) =>
      format('FORMAT_TIME', { days: null, msOfDay, zone: null }, pattern, ctx),
    ),
  ),
  scalar(
    {
      name: 'FORMAT_TIMESTAMP',
      category,
      description: `A TIMESTAMP as text in a pattern. ${PATTERNS}. ${ZONES}.`,
    },
    overload<[number, string]>('(TIMESTAMP, STRING) -> STRING', ([at, pattern], ctx) =>
      formatInstant('FORMAT_TIMESTAMP', at, pattern, ctx.zone, ctx),
    ),
    overload<[number, string, string]>('(TIMESTAMP, STRING, STRING) -> STRING', ([at, pattern, zone], ctx) =>
      formatInstant('FORMAT_TIMESTAMP', at, pattern, zone, ctx),
    ),
  ),
  scalar(
    { name: 'PARSE_DATE', category, description: `The DATE that a text shows in a pattern. ${PATTERNS}.` },
    overload<[string, string]>('(STRING, STRING) -> DATE', ([text, pattern], ctx) =>
      parseDays('PARSE_DATE', text, pattern, ctx),
    ),
  ),
  scalar(
    { name: 'PARSE_TIME', category, description: `The TIME that a text shows in a pattern. ${PATTERNS}.` },
    overload<[string, string]>('(STRING, STRING) -> TIME', ([text, pattern], ctx) => {
      const parsed = parse('PARSE_TIME', text, pattern, ctx);
      if (!parsed) return null;
      if (parsed.days !== null) return ctx.fail('PARSE_TIME: the pattern has parts of a date');
      return parsed.msOfDay ?? ctx.fail('PARSE_TIME: the pattern has no time');
    }),
  ),
  scalar(
    {
      name: 'PARSE_TIMESTAMP',
      category,
      description: `The TIMESTAMP that a text shows in a pattern. ${PATTERNS}. ${ZONES}.`,
    },
    overload<[string, string]>('(STRING, STRING) -> TIMESTAMP', ([text, pattern], ctx) =>
      parseInstant('PARSE_TIMESTAMP', text, pattern, ctx.zone, ctx),
    ),
    overload<[string, string, string]>(
      '(STRING, STRING, STRING) -> TIMESTAMP',
      ([text, pattern, zone], ctx) => parseInstant('PARSE_TIMESTAMP', text, pattern, zone, ctx),
    ),
  ),
  scalar(
    {
      name: 'DATETOSTRING',
      category,
      description: `Days since 1970-01-01 as text in a pattern; FORMAT_DATE does it for DATEs. ${PATTERNS}.`,
    },
    overload<[number, string]>('(INT, STRING) -> STRING', ([days, pattern], ctx) =>
      format('DATETOSTRING', { days, msOfDay: null, zone: null }, pattern, ctx),
    ),
  ),
  scalar(
    {
      name: 'STRINGTODATE',
      category,
      description: `Days since 1970-01-01 of the date that a text shows; PARSE_DATE gives a DATE. ${PATTERNS}.`,
    },
    overload<[string, string]>('(STRING, STRING) -> INT', ([text, pattern], ctx) =>
      parseDays('STRINGTODATE', text, pattern, ctx),
    ),
  ),
  scalar(
    {
      name: 'TIMESTAMPTOSTRING',
      category,
      description: `Milliseconds since 1970-01-01 as text in a pattern; FORMAT_TIMESTAMP does it for TIMESTAMPs. ${PATTERNS}. ${ZONES}.`,
    },
    overload<[bigint, string]>('(BIGINT, STRING) -> STRING', ([ms, pattern], ctx) =>
      formatInstant('TIMESTAMPTOSTRING', Number(ms), pattern, ctx.zone, ctx),
    ),
    overload<[bigint, string, string]>('(BIGINT, STRING, STRING) -> STRING', ([ms, pattern, zone], ctx) =>
      formatInstant('TIMESTAMPTOSTRING', Number(ms), pattern, zone, ctx),
    ),
  ),
  scalar(
    {
      name: 'STRINGTOTIMESTAMP',
      category,
      description: `Milliseconds since 1970-01-01 that a text shows; PARSE_TIMESTAMP gives a TIMESTAMP. ${PATTERNS}. ${ZONES}.`,
    },
    overload<[string, string]>('(STRING, STRING) -> BIGINT', ([text, pattern], ctx) =>
      asBigint(parseInstant('STRINGTOTIMESTAMP', text, pattern, ctx.zone, ctx)),
    ),
    overload<[string, string, string]>('(STRING, STRING, STRING) -> BIGINT', ([text, pattern, zone], ctx) =>
      asBigint(parseInstant('STRINGTOTIMESTAMP', text, pattern, zone, ctx)),
    ),
  ),
];

function asBigint(ms: number | null): bigint | null {
  return ms === null ? null : BigInt(ms);
}

function compiled(name: string, pattern: string, ctx: EvalContext): DateTimePattern | null {
  try {
    return dateTimePattern(pattern);
  } catch (error) {
    if (error instanceof MillraceError) return ctx.fail(`${name}: ${error.message}`);
    throw error;
  }
}

function format(name: string, moment: PrintedMoment, pattern: string, ctx: EvalContext): string | null {
  const known = compiled(name, pattern, ctx);
  if (!known) return null;
  return (
    formatMoment(known, moment) ?? ctx.fail(`${name}: the value has no such part as "${known.text}" asks for`)
  );
}

function formatInstant(
  name: string,
  at: number,
  pattern: string,
  zoneId: string,
  ctx: EvalContext,
): string | null {
  const zone = timeZone(zoneId);
  if (!zone) return ctx.fail(`${name}: unknown time zone ${zoneId.slice(0, 60)}`);
  if (!(Math.abs(at) <= MAX_TIMESTAMP)) return ctx.fail(`${name}: the time is out of range`);
  return format(name, momentAt(at, zone), pattern, ctx);
}

function parse(name: string, text: string, pattern: string, ctx: EvalContext): ParsedDateTime | null {
  const known = compiled(name, pattern, ctx);
  if (!known) return null;
  const result = parseDateTime(known, text);
  return 'problem' in result ? ctx.fail(`${name}: ${result.problem}`) : result;
}

function parseDays(name: string, text: string, pattern: string, ctx: EvalContext): number | null {
  const parsed = parse(name, text, pattern, ctx);
  if (!parsed) return null;
  if (parsed.msOfDay !== null && name === 'PARSE_DATE')
    return ctx.fail('PARSE_DATE: the pattern has parts of a time');
  return parsed.days ?? ctx.fail(`${name}: the pattern has no date`);
}

/** What the pattern leaves out: the date is 1970-01-01, the time midnight, the zone the one given. */
function parseInstant(
  name: string,
  text: string,
  pattern: string,
  zoneId: string,
  ctx: EvalContext,
): number | null {
  const zone = timeZone(zoneId);
  if (!zone) return ctx.fail(`${name}: unknown time zone ${zoneId.slice(0, 60)}`);
  const parsed = parse(name, text, pattern, ctx);
  if (!parsed) return null;
  const local = ((parsed.days ?? 0) + parsed.extraDays) * MS_PER_DAY + (parsed.msOfDay ?? 0);
  return (parsed.zone ?? zone).toUtc(local);
}
