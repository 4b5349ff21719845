import type { Span } from '../../core/span.ts';
import { BOOLEAN, DATE, INT, type SqlType, TIMESTAMP, typeText } from '../../core/sql-type.ts';
import type { CompareOp, Expr } from '../../expr/expr.ts';
import { literal } from './coerce.ts';
import { conjuncts, some } from './expr-tree.ts';
import type { Problems } from './problems.ts';

/**
 * Temporal filters: conjuncts of WHERE that compare the row with the clock. `due < CURRENT_DATE` is true from the instant
 * at which the day after `due` begins in the server's zone; so each conjunct becomes a bound of the time in which the row
 * is seen, exact to the millisecond. The algebra, for a clock c that never goes back and a bound b of the row:
 *
 *     b <  c  <=>  c >= b + 1 step      b <= c  <=>  c >= b
 *     b >  c  <=>  c <  b               b >= c  <=>  c <  b + 1 step
 *
 * where a step is a millisecond for instants and a day for dates. An interval beside the clock moves to the row's side.
 */
export interface TemporalSplit {
  /** conjuncts without the clock */
  readonly rest: Expr | null;
  readonly temporal: { readonly from: Expr | null; readonly until: Expr | null } | null;
}

/** Whether the expression reads the clock. */
export function readsClock(expr: Expr): boolean {
  return some(expr, isClockLeaf);
}

function isClockLeaf(expr: Expr): boolean {
  return expr.node === 'now' || (expr.node === 'call' && CLOCK_CALLS.has(expr.fn) && expr.args.length === 0);
}

const CLOCK_CALLS = new Set(['UNIX_DATE', 'UNIX_TIMESTAMP']);

export function splitTemporal(where: Expr, span: Span, problems: Problems): TemporalSplit {
  const bounds: Bounds = { from: [], until: [] };
  const rest: Expr[] = [];
  for (const part of conjuncts(where)) {
    if (!readsClock(part)) rest.push(part);
    else addBounds(part, bounds, span, problems);
  }
  const from = latest(bounds.from);
  const until = earliest(bounds.until);
  return {
    rest: rest.length === 0 ? null : rest.reduce((left, right) => both(left, right)),
    temporal: from || until ? { from, until } : null,
  };
}

interface Bounds {
  readonly from: Expr[];
  readonly until: Expr[];
}

function both(left: Expr, right: Expr): Expr {
  return { node: 'and', type: BOOLEAN, left, right };
}

const REFUSAL = 'the clock may only be compared with columns, in a condition of WHERE joined by AND';
const HINT = "write for instance: WHERE due_date < CURRENT_DATE, or created_at > NOW() - INTERVAL '1' HOUR";

function addBounds(part: Expr, bounds: Bounds, span: Span, problems: Problems): void {
  const refuse = (message = REFUSAL, hint = HINT) => problems.error('invalid_statement', span, message, hint);
  if (part.node !== 'compare') throw refuse();
  const clockLeft = readsClock(part.left);
  if (clockLeft && readsClock(part.right)) throw refuse();
  // row op clock
  const op = clockLeft ? mirrored(part.op) : part.op;
  const clock = clockAnchor(clockLeft ? part.left : part.right, refuse);
  const row = clockLeft ? part.right : part.left;
  const bound = rowBound(row, clock, refuse);
  switch (op) {
    case '<':
      bounds.from.push(bound.after);
      return;
    case '<=':
      bounds.from.push(bound.at);
      return;
    case '>':
      bounds.until.push(bound.at);
      return;
    case '>=':
      bounds.until.push(bound.after);
      return;
    case '=':
      bounds.from.push(bound.at);
      bounds.until.push(bound.after);
      return;
    default:
      throw refuse(`${op === '<>' ? '<>' : 'IS DISTINCT FROM'} with the clock is true at almost all times`);
  }
}

function mirrored(op: CompareOp): CompareOp {
  switch (op) {
    case '<':
      return '>';
    case '<=':
      return '>=';
    case '>':
      return '<';
    case '>=':
      return '<=';
    default:
      return op;
  }
}

type Refuse = (message?: string, hint?: string) => Error;

/** The clock's side: what it counts, and what is added to it. */
interface Clock {
  readonly unit: 'day' | 'instant';
  /** days or ms that stand beside the clock, as an INT or a number of ms */
  readonly shift: { readonly days: Expr | null; readonly ms: number };
  /** UNIX_TIMESTAMP() and UNIX_DATE() compare as numbers */
  readonly as: 'date' | 'timestamp' | 'days' | 'milliseconds';
}

function clockAnchor(expr: Expr, refuse: Refuse): Clock {
  if (expr.node === 'now') return { unit: 'instant', shift: { days: null, ms: 0 }, as: 'timestamp' };
  if (expr.node === 'cast') return castClock(expr, refuse);
  if (expr.node !== 'call') throw refuse();
  const [first, second, third] = expr.args;
  if (expr.fn === 'UNIX_TIMESTAMP' && !first) {
    return { unit: 'instant', shift: { days: null, ms: 0 }, as: 'milliseconds' };
  }
  if (expr.fn === 'UNIX_DATE' && !first) return { unit: 'day', shift: { days: null, ms: 0 }, as: 'days' };
  if (expr.fn === 'FROM_DAYS' && first) return { ...clockAnchor(first, refuse), as: 'date' };
  if (expr.fn === 'DATE_ADD_DAYS' && first && second && !readsClock(second)) {
    const inner = clockAnchor(first, refuse);
    if (inner.as !== 'date' || inner.shift.days) throw refuse();
    return { ...inner, shift: { days: second, ms: 0 } };
  }
  if (expr.fn === 'TIMESTAMPADD' && third && first && second) {
    return shiftedClock(clockAnchor(third, refuse), first, second, refuse);
  }
  throw refuse();
}

/** CAST(CURRENT_DATE AS TIMESTAMP) stands where a date is compared with a timestamp. */
function castClock(expr: Extract<Expr, { node: 'cast' }>, refuse: Refuse): Clock {
  const inner = clockAnchor(expr.arg, refuse);
  if (expr.type.kind === 'TIMESTAMP' && inner.as === 'date') return inner;
  if (expr.type.kind === 'DATE' && inner.as === 'timestamp' && inner.shift.ms === 0) {
    return { ...inner, unit: 'day', as: 'date' };
  }
  if (expr.type.kind === 'BIGINT' && inner.as === 'days') return inner;
  throw refuse();
}

const UNIT_MS: Readonly<Record<string, number>> = {
  MILLISECOND: 1,
  SECOND: 1000,
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY: 86_400_000,
  WEEK: 604_800_000,
};

function shiftedClock(inner: Clock, unit: Expr, amount: Expr, refuse: Refuse): Clock {
  const name = unit.node === 'literal' ? String(unit.value).toUpperCase().replace(/S$/, '') : '';
  const ms = UNIT_MS[name];
  if (ms === undefined) {
    throw refuse(
      'months and years beside the clock have no fixed length',
      "put the interval on the column's side: WHERE due_date + INTERVAL '1' MONTH < CURRENT_DATE",
    );
  }
  if (amount.node !== 'literal' || typeof amount.value !== 'number') throw refuse();
  if (inner.unit === 'instant') {
    return { ...inner, shift: { days: null, ms: inner.shift.ms + amount.value * ms } };
  }
  const days = (amount.value * ms) / 86_400_000;
  if (inner.as !== 'date' || inner.shift.days || !Number.isInteger(days)) {
    throw refuse('only whole days can be added to CURRENT_DATE', 'compare with NOW() instead');
  }
  return { ...inner, shift: { days: literal(INT, days), ms: 0 } };
}

/** The instants `at` (c >= at is row <= clock) and `after` (c >= after is row < clock). */
function rowBound(row: Expr, clock: Clock, refuse: Refuse): { at: Expr; after: Expr } {
  const inner = asDate(row) ?? row;
  switch (clock.as) {
    case 'milliseconds': {
      if (inner.type.kind !== 'BIGINT') throw refuse();
      const at = shiftMs(call('FROM_UNIXTIME', [inner], TIMESTAMP), -clock.shift.ms);
      return { at, after: shiftMs(at, 1) };
    }
    case 'days': {
      if (inner.type.kind !== 'INT') throw refuse();
      return dayBound(call('FROM_DAYS', [inner], DATE), clock);
    }
    case 'timestamp': {
      const instant = inner.type.kind === 'DATE' ? startOfDay(inner) : inner;
      if (instant.type.kind !== 'TIMESTAMP') throw mismatch(inner.type, refuse);
      const at = shiftMs(instant, -clock.shift.ms);
      return { at, after: shiftMs(at, 1) };
    }
    case 'date':
      if (inner.type.kind === 'DATE') return dayBound(inner, clock);
      if (inner.type.kind !== 'TIMESTAMP') throw mismatch(inner.type, refuse);
      // today's first instant against an instant: ts <= start(d) from the first day that does not begin before ts
      return {
        at: startOfDay(shiftDays(addDays(dateOf(shiftMs(inner, -1)), literal(INT, 1)), clock)),
        after: startOfDay(shiftDays(addDays(dateOf(inner), literal(INT, 1)), clock)),
      };
  }
}

/**
 * The date in a timestamp that was only made of a date: CAST(due AS TIMESTAMP), due + INTERVAL '1' MONTH. Beside the
 * clock it means the beginning of that day in the server's zone.
 */
function asDate(row: Expr): Expr | null {
  if (row.type.kind !== 'TIMESTAMP') return null;
  if (row.node === 'cast' && row.arg.type.kind === 'DATE') return row.arg;
  if (row.node !== 'call' || row.fn !== 'TIMESTAMPADD') return null;
  const [unit, amount, base] = row.args;
  const date = base && asDate(base);
  if (!date || unit?.node !== 'literal' || !amount) return null;
  const name = String(unit.value).toUpperCase().replace(/S$/, '');
  if (!WHOLE_DAYS.has(name)) return null;
  return { node: 'cast', type: DATE, arg: row };
}

const WHOLE_DAYS: ReadonlySet<string> = new Set(['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR']);

function mismatch(type: SqlType, refuse: Refuse): Error {
  return refuse(`the clock is compared with DATEs and TIMESTAMPs, not with ${typeText(type)}`);
}

/** date <= today from the date's first instant on, date < today from the next day's. */
function dayBound(date: Expr, clock: Clock): { at: Expr; after: Expr } {
  const day = shiftDays(date, clock);
  return { at: startOfDay(day), after: startOfDay(addDays(day, literal(INT, 1))) };
}

/** date < today + 3 is date - 3 < today. */
function shiftDays(date: Expr, clock: Clock): Expr {
  const { days } = clock.shift;
  if (!days) return date;
  const back: Expr =
    days.node === 'literal' && typeof days.value === 'number'
      ? literal(INT, -days.value)
      : days.node === 'negate'
        ? days.arg
        : { node: 'negate', type: INT, arg: days };
  return addDays(date, back);
}

function call(fn: string, args: readonly Expr[], type: SqlType): Expr {
  return { node: 'call', type, fn, args, site: 0 };
}

/** Sums of literals are written as one. */
function addDays(date: Expr, days: Expr): Expr {
  if (date.node === 'call' && date.fn === 'DATE_ADD_DAYS' && days.node === 'literal') {
    const [inner, before] = date.args;
    if (inner && before?.node === 'literal') {
      const sum = Number(before.value) + Number(days.value);
      return sum === 0 ? inner : call('DATE_ADD_DAYS', [inner, literal(INT, sum)], DATE);
    }
  }
  return call('DATE_ADD_DAYS', [date, days], DATE);
}

function shiftMs(instant: Expr, ms: number): Expr {
  if (instant.node === 'call' && instant.fn === 'TIMESTAMPADD') {
    const [unit, amount, inner] = instant.args;
    if (unit?.node === 'literal' && unit.value === 'MILLISECOND' && amount?.node === 'literal' && inner) {
      return addMs(inner, Number(amount.value) + ms);
    }
  }
  return addMs(instant, ms);
}

function addMs(instant: Expr, ms: number): Expr {
  if (ms === 0) return instant;
  const whole = UNITS_DOWN.find(([, size]) => ms % size === 0 && Math.abs(ms / size) < 2 ** 31);
  const [unit, size] = whole ?? ['MILLISECOND', 1];
  return call(
    'TIMESTAMPADD',
    [literal({ kind: 'STRING' }, unit), literal(INT, ms / size), instant],
    TIMESTAMP,
  );
}

/** The milliseconds that the user wrote may not fit an INT: then whole seconds or days do. */
const UNITS_DOWN: readonly (readonly [string, number])[] = [
  ['MILLISECOND', 1],
  ['SECOND', 1000],
  ['MINUTE', 60_000],
  ['HOUR', 3_600_000],
  ['DAY', 86_400_000],
];

function startOfDay(date: Expr): Expr {
  return call('START_OF_DAY', [date], TIMESTAMP);
}

function dateOf(instant: Expr): Expr {
  return call('DATE_IN_ZONE', [instant], DATE);
}

/** The later of two instants; NULL when either is. */
function latest(bounds: readonly Expr[]): Expr | null {
  return bounds.length === 0 ? null : bounds.reduce((a, b) => choose(a, '>=', b));
}

function earliest(bounds: readonly Expr[]): Expr | null {
  return bounds.length === 0 ? null : bounds.reduce((a, b) => choose(a, '<=', b));
}

function choose(a: Expr, op: '>=' | '<=', b: Expr): Expr {
  const test = (left: Expr, right: Expr): Expr => ({ node: 'compare', type: BOOLEAN, op, left, right });
  return {
    node: 'case',
    type: TIMESTAMP,
    whens: [
      { when: test(a, b), then: a },
      { when: test(b, a), then: b },
    ],
    otherwise: null,
  };
}
