import { describe, expect, test } from 'vitest';
import { BIGINT, BOOLEAN, INT } from '../../src/core/sql-type.ts';
import type { Expr } from '../../src/expr/expr.ts';
import { Aggregate } from '../../src/operators/aggregate.ts';
import { EmitFinal } from '../../src/operators/emit-final.ts';
import { Having } from '../../src/operators/having.ts';
import { Normalize } from '../../src/operators/normalize.ts';
import type { Operator, OperatorContext } from '../../src/operators/operator.ts';
import { SessionAggregate } from '../../src/operators/session-aggregate.ts';
import { TemporalFilter } from '../../src/operators/temporal-filter.ts';
import type { AggregateNode, RelationKind, WindowSpec } from '../../src/plan/plan.ts';
import { StateTable } from '../../src/state/state-table.ts';
import { column, input, runOperator, schemaOf, table } from './change-tables.ts';

const rows = schemaOf('k STRING, v INT');

function window(more: Partial<WindowSpec> = {}): WindowSpec {
  return { type: 'tumbling', size: 10, advance: 10, grace: 5, retention: null, ...more };
}

/** k, [window,] COUNT(*), SUM(v) */
function groupBy(spec: WindowSpec | null, more: Partial<AggregateNode> = {}): AggregateNode {
  const bounds = spec === null ? '' : 'start BIGINT KEY, end BIGINT KEY, ';
  return {
    node: 'aggregate',
    id: 'aggregate',
    schema: schemaOf(`k STRING KEY, ${bounds}n BIGINT, sum INT`, spec !== null),
    input: input(rows),
    keys: [column(rows, 'k')],
    aggregates: [
      { fn: 'COUNT', args: [], constants: [], type: BIGINT, distinct: false, filter: null },
      { fn: 'SUM', args: [column(rows, 'v')], constants: [], type: INT, distinct: false, filter: null },
    ],
    window: spec,
    nullKeys: 'drop',
    emptyGroups: 'keep',
    ...more,
  };
}

const aggregate =
  (node: AggregateNode, more: { retracting?: boolean; final?: boolean } = {}) =>
  (context: OperatorContext): Operator =>
    new Aggregate({ node, context, table: new StateTable(), retracting: false, final: false, ...more });

describe('aggregate', () => {
  test('one change per group and sequence, NULL keys and records without value dropped and counted', () => {
    const run = runOperator(
      rows,
      aggregate(groupBy(null)),
      `
        0 10 + a 1
        1 12 + b 2
        1 12 + a 3
        1 11 + b 4
        2 13 + ~ 5
        3 14 + ()
        --
        4 10 + a ~    # event time of a group never goes back
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        0 10 = a 1 1
        1 12 = b 2 6
        1 12 = a 2 4
        4 12 = a 3 4
      `),
    );
    expect(run.rejected).toEqual(['2 null_key', '3 null_key']);
  });

  test('final: each group once per epoch, in order of its last change', () => {
    const run = runOperator(
      rows,
      aggregate(groupBy(null), { final: true }),
      `
        0 10 + a 1
        1 12 + b 2
        2 13 + a 3
        --
        3 14 + b 1
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        1 12 = b 1 2
        2 13 = a 2 4
        3 14 = b 2 3
      `),
    );
  });

  test('a window takes rows until end + grace, the lane time counting the row itself', () => {
    const run = runOperator(
      rows,
      aggregate(groupBy(window())),
      `
        0  3 + a 1
        1 14 + a 1    # lane time 14: [0, 10) is open until 15
        2  9 + a 1
        --
        3 15 + b 1    # closes [0, 10)
        4  9 + a 1    # late
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        0  3 = a 0 10 1 1
        1 14 = a 10 20 1 1
        2  9 = a 0 10 2 2
        3 15 = b 10 20 1 1
      `),
    );
    expect(run.rejected).toEqual(['4 late']);
  });

  test('hopping windows decide on late rows one by one', () => {
    const run = runOperator(
      rows,
      aggregate(groupBy(window({ type: 'hopping', advance: 5, grace: 0 }))),
      `
        0 12 + a 1    # [5, 15) and [10, 20)
        1 16 + a 1    # [10, 20) and [15, 25)
        2  9 + a 1    # [0, 10) and [5, 15): both closed
        3 14 + a 1    # [5, 15) is closed, [10, 20) is not
      `,
    );
    expect(run.output).toBe(
      table(`
        0 12 = a 5 15 1 1
        0 12 = a 10 20 1 1
        1 16 = a 10 20 2 2
        1 16 = a 15 25 1 1
        3 16 = a 10 20 3 3
      `),
    );
    expect(run.rejected).toEqual(['2 late', '2 late', '3 late']);
  });

  test('RETENTION deletes the rows of old windows by (end, key)', () => {
    const run = runOperator(
      rows,
      aggregate(groupBy(window({ grace: 0, retention: 15 }))),
      `
        0  3 + b 1
        1  4 + a 1
        --
        2 25 + c 1    # 10 + 15 <= 25
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        0  3 = b 0 10 1 1
        1  4 = a 0 10 1 1
        2 25 = c 20 30 1 1
        2  4 x a 0 10
        2  3 x b 0 10
      `),
    );
  });

  test('changing rows: a group that loses its last row stays (strict) or goes (VIEW)', () => {
    const text = `
      0 10 + a 1
      1 11 - a 1
      1 11 + b 1    # the row has moved
      --
      2 12 - b 1
      2 12 + b 2    # out and in again within one sequence: nothing has gone
      3 13 + a 7
    `;
    const strict = runOperator(rows, aggregate(groupBy(null), { retracting: true }), text, { restart: true });
    expect(strict.output).toBe(
      table(`
        0 10 = a 1 1
        1 11 = a 0 0
        1 11 = b 1 1
        2 12 = b 1 2
        3 13 = a 1 7
      `),
    );
    const view = aggregate(groupBy(null, { emptyGroups: 'delete' }), { retracting: true });
    expect(runOperator(rows, view, text, { restart: true }).output).toBe(
      table(`
        0 10 = a 1 1
        1 11 x a
        1 11 = b 1 1
        2 12 = b 1 2
        3 13 = a 1 7
      `),
    );
  });

  test('a sum out of its range is NULL and reported, and comes back', () => {
    const run = runOperator(
      rows,
      aggregate(groupBy(null), { retracting: true }),
      `
        0 10 + a 2147483647
        1 11 + a 1
        --
        2 12 - a 1
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        0 10 = a 1 2147483647
        1 11 = a 2 ~
        2 12 = a 1 2147483647
      `),
    );
    expect(run.rejected).toEqual(['1 expression_failed']);
  });

  test('VIEW without GROUP BY has its row before the first record', () => {
    const node = groupBy(null, { keys: [], schema: schemaOf('n BIGINT, sum INT'), emptyGroups: 'delete' });
    const run = runOperator(
      rows,
      aggregate(node, { retracting: true }),
      `
        tick 0 5
        1 10 + a 4
        2 11 - a 4
      `,
    );
    expect(run.output).toBe(
      table(`
        0  0 = 0 0
        1 10 = 1 4
        2 11 = 0 0
      `),
    );
  });
});

describe('having, where only the last rows count', () => {
  const node = groupBy(null);
  const two: Expr = { node: 'literal', type: BIGINT, value: 2n };
  const predicate: Expr = {
    node: 'compare',
    type: BOOLEAN,
    op: '=',
    left: column(node.schema, 'n'),
    right: two,
  };

  test('a group that never passed is not deleted', () => {
    const make = (context: OperatorContext): Operator => {
      const below = aggregate(node, { final: true })(context) as Aggregate;
      const having = new Having(
        { node: 'filter', id: 'having', schema: node.schema, input: input(node.schema), predicate },
        context,
        below,
      );
      return {
        id: 'both',
        step: (epoch, inputs) => having.step(epoch, [below.step(epoch, inputs)]),
        deadline: () => null,
        state: () => below.state(),
        load: state => below.load(state),
        size: () => below.size(),
      };
    };
    const run = runOperator(
      rows,
      make,
      `
        0 10 + a 1
        1 10 + b 1
        --
        2 11 + a 1    # passes
        --
        3 12 + a 1    # fails again
        4 12 + b 1    # passes
        --
        5 13 + a 1    # fails still: nothing to say
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        2 11 = a 2 2
        3 12 x a
        4 12 = b 2 2
      `),
    );
  });
});

describe('session aggregate', () => {
  test('rows within the gap join; a row between two sessions makes them one', () => {
    const spec = window({ type: 'session', size: 5, advance: 5, grace: 10 });
    const run = runOperator(
      rows,
      context =>
        new SessionAggregate({
          node: groupBy(spec),
          context,
          keys: new StateTable(),
          sessions: new StateTable(),
          final: false,
        }),
      `
        0 10 + a 1
        1 20 + a 2
        --
        2 15 + a 4    # joins both
        3 40 + b 1
        4 21 + a 1    # [10, 21] has ended: 21 + 5 + 10 < 40
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        0 10 = a 10 10 1 1
        1 20 = a 20 20 1 2
        2 10 x a 10 10
        2 20 x a 20 20
        2 20 = a 10 20 3 7
        3 40 = b 40 40 1 1
      `),
    );
    expect(run.rejected).toEqual(['4 late']);
  });
});

describe('normalize', () => {
  const schema = schemaOf('k STRING KEY, v INT');

  test('- what the key had, with its own event time, + what it has', () => {
    const run = runOperator(
      schema,
      () =>
        new Normalize({ node: 'normalize', id: 'normalize', schema, input: input(schema) }, new StateTable()),
      `
        0 10 = a 1
        1 11 = a 2
        --
        2 12 x b      # was not there
        3 13 x a
        4 14 = a ~
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        0 10 + a 1
        1 10 - a 1
        1 11 + a 2
        3 11 - a 2
        4 14 + a ~
      `),
    );
  });
});

describe('temporal filter', () => {
  const schema = schemaOf('k STRING KEY, since TIMESTAMP, until TIMESTAMP');
  const filter =
    (changes: RelationKind, ends = true) =>
    (context: OperatorContext) =>
      new TemporalFilter(
        {
          node: 'temporalFilter',
          id: 'temporal',
          schema,
          input: input(schema),
          from: column(schema, 'since'),
          until: ends ? column(schema, 'until') : null,
        },
        context,
        changes,
        { rows: new StateTable(), distinct: new StateTable() },
      );

  test('the clock moves first: rows enter and leave in order of their times', () => {
    const run = runOperator(
      schema,
      filter('upsert'),
      `
        0 1 = a 20 30
        1 1 = b 10 15
        2 1 = c 0 25     # visible at once
        3 1 = d ~ 50     # NULL bound: never
        tick 4 12        # b enters
        --
        tick 5 26        # b leaves at 15, a enters at 20, c leaves at 25
        6 2 = a 40 50    # takes the place of the visible one
        7 3 x b          # is no longer there
        --
        tick 8 45
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        2 1 = c 0 25
        4 1 = b 10 15
        5 1 x b
        5 1 = a 20 30
        5 1 x c
        6 2 x a
        8 2 = a 40 50
      `),
    );
  });

  test('a row that enters and leaves between two readings of the clock was never seen', () => {
    const run = runOperator(schema, filter('retract'), '0 1 + a 20 30\ntick 1 35\n2 1 - a 20 30');
    expect(run.output).toBe('');
  });

  test('over + and -, a retracted row that is visible leaves', () => {
    const run = runOperator(schema, filter('retract'), '0 1 + a 0 30\n1 2 + a 0 30\n2 3 - a 0 30');
    expect(run.output).toBe('0 1 + a 0 30\n1 2 + a 0 30\n2 2 - a 0 30');
  });

  test('a row of a stream that has entered for good is kept no longer', () => {
    const rows: unknown[] = [];
    const run = runOperator(
      schema,
      filter('append', false),
      '0 1 + a 0 ~\n1 1 + b 20 ~\n--\ntick 2 20\n3 2 + c 20 ~',
      { restart: true, after: operator => rows.push(operator.size()?.rows) },
    );
    expect(run.output).toBe('0 1 + a 0 ~\n2 1 + b 20 ~\n3 2 + c 20 ~');
    expect(rows).toEqual([1, 0]);
  });

  test('a key whose row changes often, each time to leave in a far future, takes the room of few rows', () => {
    const bytes: number[] = [];
    const changes = Array.from({ length: 1000 }, (_, seq) => `${seq} 1 = a 0 ${1_000_000 + seq}`);
    runOperator(schema, filter('upsert'), changes.join('\n--\n'), {
      after: operator => bytes.push(operator.size()?.bytes ?? 0),
    });
    expect(Math.max(...bytes)).toBeLessThan(70 * (bytes[0] as number));
  });
});

describe('emit final', () => {
  const schema = schemaOf('k STRING KEY, start BIGINT KEY, end BIGINT KEY, n BIGINT', true);
  const final =
    (closeAfter: number | null, spec = window()) =>
    (context: OperatorContext) =>
      new EmitFinal(
        { node: 'emitFinal', id: 'final', schema, input: input(schema), window: spec, closeAfter },
        context,
        new StateTable(),
      );

  test('each window once, its last row, at the sequence that closes it, by (end, key)', () => {
    const run = runOperator(
      schema,
      final(null),
      `
        0  3 = b 0 10 1
        1  4 = a 0 10 1
        2  5 = c 0 10 1
        3  6 x c 0 10      # gone before the close
        4 12 = a 10 20 1
        5  9 = b 0 10 2
        --
        6 15 = b 10 20 1   # lane time 15 = 10 + 5
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        6 4 = a 0 10 1
        6 9 = b 0 10 2
      `),
    );
  });

  test('CLOSE AFTER closes by the clock; what comes later is late', () => {
    const run = runOperator(
      schema,
      final(100),
      `
        0  3 = a 0 10 1
        tick 1 114
        --
        tick 2 115         # 10 + 5 + 100
        3  4 = a 0 10 2
      `,
      { restart: true },
    );
    expect(run.output).toBe('2 3 = a 0 10 1');
    expect(run.rejected).toEqual(['3 late']);
  });

  test('RETENTION deletes emitted rows', () => {
    const run = runOperator(
      schema,
      final(null, window({ grace: 0, retention: 15 })),
      `
        0  3 = a 0 10 1
        1 12 = a 10 20 1
        --
        2 25 = a 20 30 1
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        1  3 = a 0 10 1
        2 12 = a 10 20 1
        2  3 x a 0 10
      `),
    );
  });
});
