import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../../src/core/errors.ts';
import type { Row } from '../../../src/core/value.ts';
import { compileExpr } from '../../../src/expr/closure.ts';
import type { Expr } from '../../../src/expr/expr.ts';
import { standardLibrary } from '../../../src/expr/library.ts';
import type { PlanNode } from '../../../src/plan/plan.ts';
import { planScript } from '../../../src/plan/script.ts';

const ZONE = 'America/New_York';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const SOURCE = `CREATE STREAM s (id STRING KEY, due DATE, at TIMESTAMP, n INT)
  WITH (KAFKA_TOPIC = 's', VALUE_FORMAT = 'JSON');`;

/** The bounds that a condition becomes, as functions of the row. */
function boundsOf(condition: string) {
  const text = `${SOURCE} CREATE VIEW v AS SELECT id, due, at, n FROM s WHERE ${condition};`;
  const { plan, errors } = planScript({ file: 'v.sql', text }, { functions: standardLibrary, zone: ZONE });
  expect(errors.map(errorText)).toEqual([]);
  let node: PlanNode | undefined = plan?.views[0]?.root;
  while (node && node.node !== 'temporalFilter') node = 'input' in node ? node.input : undefined;
  if (!node) throw new Error('no temporal filter');
  const compile = (expr: Expr | null) => {
    if (!expr) return null;
    const run = compileExpr(expr, standardLibrary);
    return (row: Row) =>
      run(row, {
        now: 0,
        rowtime: 0,
        seq: 0,
        zone: ZONE,
        fail: message => {
          throw new Error(message);
        },
      }) as number | null;
  };
  return {
    from: compile(node.from),
    until: compile(node.until),
    columns: node.schema.columns.map(c => c.name),
  };
}

const date = new Intl.DateTimeFormat('en-CA', { timeZone: ZONE, dateStyle: 'short' });
/** days since 1970 that clocks in the zone show */
const localDay = (ms: number) => Date.parse(`${date.format(ms)}T00:00Z`) / DAY;

interface Stored {
  readonly due: number;
  readonly at: number;
}

/** Each condition with what it says about a row at a time. */
const CONDITIONS: readonly (readonly [string, (row: Stored, now: number) => boolean])[] = [
  ['due < CURRENT_DATE', (r, now) => r.due < localDay(now)],
  ['due <= CURRENT_DATE', (r, now) => r.due <= localDay(now)],
  ['due > CURRENT_DATE', (r, now) => r.due > localDay(now)],
  ['CURRENT_DATE <= due', (r, now) => r.due >= localDay(now)],
  ['due = CURRENT_DATE', (r, now) => r.due === localDay(now)],
  ['due < CURRENT_DATE - 3', (r, now) => r.due < localDay(now) - 3],
  ["due >= CURRENT_DATE + INTERVAL '1' WEEK", (r, now) => r.due >= localDay(now) + 7],
  ['due + 2 <= CURRENT_DATE', (r, now) => r.due + 2 <= localDay(now)],
  [
    'due BETWEEN CURRENT_DATE - 1 AND CURRENT_DATE',
    (r, now) => r.due >= localDay(now) - 1 && r.due <= localDay(now),
  ],
  ['due <= NOW()', (r, now) => r.due <= localDay(now)],
  ['due < NOW()', (r, now) => r.due <= localDay(now - 1)],
  ['due > NOW()', (r, now) => !(r.due <= localDay(now))],
  ['at < NOW()', (r, now) => r.at < now],
  ['at <= CURRENT_TIMESTAMP', (r, now) => r.at <= now],
  ['NOW() < at', (r, now) => now < r.at],
  ['at >= NOW()', (r, now) => r.at >= now],
  ['at = NOW()', (r, now) => r.at === now],
  ["at > NOW() - INTERVAL '90' MINUTE", (r, now) => r.at > now - 90 * 60_000],
  ["at + INTERVAL '2' HOUR <= NOW() + INTERVAL '1' SECOND", (r, now) => r.at + 2 * HOUR <= now + 1000],
  ['at < CURRENT_DATE', (r, now) => localDay(r.at) < localDay(now)],
  ['at >= CURRENT_DATE', (r, now) => localDay(r.at) >= localDay(now)],
  ['at > CURRENT_DATE', (r, now) => localDay(r.at - 1) >= localDay(now)],
  ['at <= CURRENT_DATE', (r, now) => localDay(r.at - 1) < localDay(now)],
  [
    "at > NOW() - INTERVAL '1' DAY AND due > CURRENT_DATE",
    (r, now) => r.at > now - DAY && r.due > localDay(now),
  ],
  ['UNIX_TIMESTAMP(at) < UNIX_TIMESTAMP()', (r, now) => r.at < now],
];

describe('a temporal filter', () => {
  const start = Date.parse('2026-01-01T00:00Z') / DAY;
  const day = fc.integer({ min: start, max: start + 400 });
  const near = fc.tuple(fc.integer({ min: -200, max: 200 }), fc.constantFrom(-1, 0, 1, 1_234_567));

  it.each(CONDITIONS)('%s shows a row exactly while the condition holds', (condition, holds) => {
    const { from, until, columns } = boundsOf(condition);
    fc.assert(
      fc.property(day, near, near, (due, [hours, ms], [clockHours, clockMs]) => {
        const row: Stored = { due, at: due * DAY + hours * HOUR + ms };
        const now = due * DAY + clockHours * HOUR + clockMs;
        const values = columns.map((c): number | string | null =>
          c === 'due' ? row.due : c === 'at' ? row.at : null,
        );
        const begins = from?.(values) ?? Number.NEGATIVE_INFINITY;
        const ends = until?.(values) ?? Number.POSITIVE_INFINITY;
        expect(now >= begins && now < ends).toBe(holds(row, now));
      }),
      { seed: 20260101, numRuns: 400 },
    );
  });

  it('never shows a row whose column is NULL', () => {
    const { from, until, columns } = boundsOf('due < CURRENT_DATE AND at > NOW()');
    const values = columns.map(() => null);
    expect([from?.(values), until?.(values)]).toEqual([null, null]);
  });

  it('is silent about NULL in one of two bounds only by showing nothing', () => {
    const { from, columns } = boundsOf('due < CURRENT_DATE AND at <= NOW()');
    expect(from?.(columns.map(c => (c === 'due' ? start : null)))).toBeNull();
    expect(from?.(columns.map(c => (c === 'at' ? start * DAY : null)))).toBeNull();
  });
});
