import { describe, expect, test } from 'vitest';
import type { Schema } from '../../src/core/schema.ts';
import { BOOLEAN, INT, STRING } from '../../src/core/sql-type.ts';
import type { Expr } from '../../src/expr/expr.ts';
import { EquiJoin } from '../../src/operators/equi-join.ts';
import { ForeignKeyJoin } from '../../src/operators/foreign-key-join.ts';
import type { Operator } from '../../src/operators/operator.ts';
import { StreamStreamJoin } from '../../src/operators/stream-stream-join.ts';
import { StreamTableJoin } from '../../src/operators/stream-table-join.ts';
import { TableTableJoin } from '../../src/operators/table-table-join.ts';
import type { EquiJoinNode, StreamStreamJoinNode, TableTableJoinNode } from '../../src/plan/plan.ts';
import { StateTable } from '../../src/state/state-table.ts';
import { column, input, runJoin, schemaOf, table } from './change-tables.ts';

const stream = schemaOf('k STRING, v INT');
const keyed = schemaOf('id STRING KEY, w INT');

const key = (schema: Schema): readonly Expr[] => [column(schema, schema.columns[0]?.name ?? '')];

function between(left: Schema, right: Schema) {
  return {
    left: input(left),
    right: input(right),
    leftKeys: key(left),
    rightKeys: key(right),
  };
}

/** 6 / v: fails for 0 */
const sixBy = (schema: Schema): Expr => ({
  node: 'arithmetic',
  op: '/',
  type: INT,
  left: { node: 'literal', type: INT, value: 6 },
  right: column(schema, 'v'),
});

describe('stream-stream join', () => {
  const right = schemaOf('k STRING, w INT');
  const both = [stream, right] as const;
  const node = (more: Partial<StreamStreamJoinNode>): StreamStreamJoinNode => ({
    node: 'streamStreamJoin',
    id: 'join',
    schema: schemaOf('k STRING, v INT, k2 STRING, w INT, key STRING KEY'),
    ...between(stream, right),
    type: 'inner',
    before: 2,
    after: 3,
    grace: 5,
    eager: false,
    ...more,
  });
  const join =
    (more: Partial<StreamStreamJoinNode> = {}) =>
    (context: ConstructorParameters<typeof StreamStreamJoin>[1]): Operator =>
      new StreamStreamJoin(node(more), context, {
        index: new StateTable(),
        left: new StateTable(),
        right: new StateTable(),
      });

  test('rows of equal keys meet when the right time is in [left - before, left + after], the earlier row first', () => {
    const run = runJoin(
      both,
      join(),
      `
        l 0 10 + a 1
        r 1 13 + a 2      # 10 + after
        r 2 14 + a 3      # too late for 10
        r 3  8 + a 4      # 10 - before
        r 4  7 + a 5      # too early
        r 5 10 + b 6
        --
        l 6 11 + a 7      # meets 13 and 14: rows in order of time, not of arrival
        l 7 10 + ~ 8
        r 8 10 + ()
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        1 13 + a 1 a 2 a
        3 10 + a 1 a 4 a
        6 13 + a 7 a 2 a
        6 14 + a 7 a 3 a
      `),
    );
    expect(run.rejected).toEqual(['7 null_key', '8 null_key']);
  });

  test('a side keeps a row until its own time has passed before + after + grace; what is older is late', () => {
    const run = runJoin(
      both,
      join(),
      `
        l 0 10 + a 1
        l 1 19 + b 1
        r 2 10 + a 2     # kept still: 10 > 19 - 10
        l 3 20 + b 2     # lets go of 10
        --
        r 4 10 + a 3     # meets nothing; the right time is 10, so it is kept
        l 5 10 + a 4     # late, though it meets what is there
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        2 10 + a 1 a 2 a
        5 10 + a 4 a 2 a
        5 10 + a 4 a 3 a
      `),
    );
    expect(run.rejected).toEqual(['5 late']);
  });

  test('eager: the null row at once, a later match adds its row', () => {
    const run = runJoin(
      both,
      join({ type: 'full', eager: true }),
      `
        l 0 10 + a 1
        r 1 10 + a 2
        r 2 10 + b 3
      `,
    );
    expect(run.output).toBe(
      table(`
        0 10 + a 1 ~ ~ a
        1 10 + a 1 a 2 a
        2 10 + ~ ~ b 3 b
      `),
    );
  });

  test('with grace: null rows when the joint time has passed time + reach + grace, of both sides in order of time', () => {
    const run = runJoin(
      both,
      join({ type: 'full' }),
      `
        l 0 11 + b 2      # due after 11 + after + grace = 19
        r 1 10 + a 1      # due after 10 + before + grace = 17
        l 2 12 + c 3
        r 3 12 + c 4      # c met
        --
        l 4 17 + d 5      # not yet
        --
        r 5 20 + e 6      # both are due; c is not given
        --
        l 6 40 + b 7
        l 7 15 + f 8      # too old to be kept: its null row at once
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        3 12 + c 3 c 4 c
        5 10 + ~ ~ a 1 a
        5 11 + b 2 ~ ~ b
        6 17 + d 5 ~ ~ d
        6 20 + ~ ~ e 6 e
        7 15 + f 8 ~ ~ f
      `),
    );
    expect(run.rejected).toEqual(['7 late']);
  });

  test('an unmatched row waits for its null row though it is kept no longer', () => {
    // kept while time > lane - (0 + 3 + 5), due when joint time > time + 3 + 5
    const run = runJoin(
      both,
      join({ type: 'left', before: 0 }),
      `
        l 0 10 + a 1
        l 1 18 + b 2      # lets go of a, which is not due yet
        r 2 10 + a 3      # so a meets nothing any more
        --
        r 3 19 + c 4
      `,
      { restart: true },
    );
    expect(run.output).toBe('3 10 + a 1 ~ ~ a');
  });

  test('rows and keys are let go when the time has passed them', () => {
    const rows: number[] = [];
    runJoin(
      both,
      join({ type: 'full' }),
      `
        l 0 10 + a 1
        r 1 10 + b 2
        r 2 11 + a 3
        --
        l 3 90 + c 4
        r 4 90 + d 5
        --
        l 5 200 + e 6
        r 6 200 + e 7
      `,
      { after: operator => rows.push(operator.size()?.rows ?? 0) },
    );
    expect(rows).toEqual([3, 2, 2]);
  });

  test('keys that come once take room for a while only', () => {
    const lines = Array.from(
      { length: 20_000 },
      (_, i) => `${i % 2 ? 'r' : 'l'} ${i} ${i * 100} + key-number-${i} 1`,
    );
    let bytes = 0;
    runJoin(both, join({ type: 'full' }), lines.join('\n'), {
      after: operator => {
        bytes = operator.size()?.bytes ?? 0;
      },
    });
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(500_000);
  });

  test('keys may be computed; what fails has no key', () => {
    const run = runJoin(
      both,
      join({
        schema: schemaOf('k STRING, v INT, k2 STRING, w INT, key INT KEY'),
        leftKeys: [sixBy(stream)],
        rightKeys: [column(right, 'w')],
        type: 'left',
        eager: true,
      }),
      `
        l 0 10 + a 2
        r 1 10 + b 3
        l 2 10 + c 0
      `,
    );
    expect(run.output).toBe(
      table(`
        0 10 + a 2 ~ ~ 3
        1 10 + a 2 b 3 3
      `),
    );
    expect(run.rejected).toEqual(['2 expression_failed', '2 null_key']);
  });
});

describe('stream-table join', () => {
  const join =
    (type: 'inner' | 'left') =>
    (context: ConstructorParameters<typeof StreamTableJoin>[1]): Operator =>
      new StreamTableJoin(
        {
          node: 'streamTableJoin',
          id: 'join',
          schema: schemaOf('k STRING, v INT, id STRING, w INT, key STRING KEY'),
          ...between(stream, keyed),
          type,
        },
        context,
        new StateTable(),
      );
  const changes = `
    l 0 10 + a 1      # before the table has a row
    r 1 20 = a 5
    l 2 11 + a 2      # the event time is the stream's
    l 3 12 + b 3
    --
    l 4 13 + a 4
    r 4 13 = a 6      # within one sequence the table comes first
    l 4 13 + a 5
    r 5 14 x a
    l 6 14 + a 6
    --
    r 7 15 x z        # of nothing
    l 8 15 + ~ 7
    l 9 15 + ()
  `;

  test('inner: the row with the one that the table has at that moment', () => {
    const run = runJoin([stream, keyed], join('inner'), changes, { restart: true });
    expect(run.output).toBe(
      table(`
        2 11 + a 2 a 5 a
        4 13 + a 4 a 6 a
        4 13 + a 5 a 6 a
      `),
    );
    expect(run.rejected).toEqual(['8 null_key', '9 null_key']);
  });

  test('left: NULLs where the table has none', () => {
    const run = runJoin([stream, keyed], join('left'), changes, { restart: true });
    expect(run.output).toBe(
      table(`
        0 10 + a 1 ~ ~ a
        2 11 + a 2 a 5 a
        3 12 + b 3 ~ ~ b
        4 13 + a 4 a 6 a
        4 13 + a 5 a 6 a
        6 14 + a 6 ~ ~ a
      `),
    );
  });
});

describe('table-table join', () => {
  const other = schemaOf('k STRING KEY, v INT');
  const join =
    (type: TableTableJoinNode['type']) =>
    (context: ConstructorParameters<typeof TableTableJoin>[1]): Operator =>
      new TableTableJoin(
        {
          node: 'tableTableJoin',
          id: 'join',
          schema: schemaOf('k STRING, v INT, id STRING, w INT, key STRING KEY'),
          ...between(other, keyed),
          type,
        },
        context,
        new StateTable(),
      );
  const changes = `
    l 0 10 = a 1
    r 1  9 = a 5
    --
    l 2 12 = a 2      # both sides in one sequence: one change
    r 2 11 = a 6
    r 2 20 = b 7      # the other key's own
    --
    l 3 13 x a
    r 4 14 x a
    r 5 15 x z        # of nothing
    l 6 16 = c 1      # comes and goes within one sequence
    l 6 17 x c
    l 7 18 = ~ 1
  `;
  const given = (type: TableTableJoinNode['type']) =>
    runJoin([other, keyed], join(type), changes, { restart: true }).output;

  test('inner', () => {
    expect(given('inner')).toBe(
      table(`
        1 10 = a 1 a 5 a
        2 12 = a 2 a 6 a
        3 13 x a
      `),
    );
  });

  test('left', () => {
    expect(given('left')).toBe(
      table(`
        0 10 = a 1 ~ ~ a
        1 10 = a 1 a 5 a
        2 12 = a 2 a 6 a
        3 13 x a
      `),
    );
  });

  test('right', () => {
    expect(given('right')).toBe(
      table(`
        1 10 = a 1 a 5 a
        2 12 = a 2 a 6 a
        2 20 = ~ ~ b 7 b
        3 13 = ~ ~ a 6 a
        4 14 x a
      `),
    );
  });

  test('full; a key with a NULL in it is dropped, a key without rows takes no room', () => {
    const rows: number[] = [];
    const run = runJoin([other, keyed], join('full'), changes, {
      after: operator => rows.push(operator.size()?.rows ?? 0),
    });
    expect(run.output).toBe(
      table(`
        0 10 = a 1 ~ ~ a
        1 10 = a 1 a 5 a
        2 12 = a 2 a 6 a
        2 20 = ~ ~ b 7 b
        3 13 = ~ ~ a 6 a
        4 14 x a
      `),
    );
    expect(run.rejected).toEqual(['7 null_key']);
    expect(rows).toEqual([1, 2, 1]);
  });
});

describe('foreign-key join', () => {
  const orders = schemaOf('o STRING KEY, to STRING');
  const join =
    (type: 'inner' | 'left') =>
    (context: ConstructorParameters<typeof ForeignKeyJoin>[1]): Operator =>
      new ForeignKeyJoin(
        {
          node: 'foreignKeyJoin',
          id: 'join',
          schema: { ...schemaOf('o STRING KEY, to STRING, id STRING, w INT') },
          left: input(orders),
          right: input(keyed),
          leftKeys: [{ node: 'column', type: STRING, index: 1, name: 'to' }],
          rightKeys: key(keyed),
          type,
        },
        context,
        { left: new StateTable(), right: new StateTable() },
      );
  const changes = `
    l 0 10 = o1 a
    l 1 10 = o2 a
    l 2 10 = o3 ~     # points nowhere
    --
    r 3 12 = a 5      # touches both, in order of their key
    --
    l 4 11 = o2 b     # from a to nothing
    r 5 13 = a 6
    --
    l 6 14 = o1 b     # moves, and what it moves to comes in the same sequence
    r 6 15 = b 7
    --
    r 7 16 x b
    l 8 17 x o1
    l 9 18 x o9       # of nothing
    l 10 18 = ~ a
    --
    r 11 19 x a
    l 12 20 x o2
  `;

  test('inner', () => {
    const run = runJoin([orders, keyed], join('inner'), changes, { restart: true });
    expect(run.output).toBe(
      table(`
        3 12 = o1 a a 5
        3 12 = o2 a a 5
        4 11 x o2
        5 13 = o1 a a 6
        6 15 = o1 b b 7
        6 15 = o2 b b 7
        7 16 x o1
        7 16 x o2
      `),
    );
    expect(run.rejected).toEqual(['10 null_key']);
  });

  test('left; what is pointed to and has no row is forgotten when nothing points to it any more', () => {
    const rows: number[] = [];
    const run = runJoin([orders, keyed], join('left'), changes, {
      after: operator => rows.push(operator.size()?.rows ?? 0),
    });
    expect(run.output).toBe(
      table(`
        0 10 = o1 a ~ ~
        1 10 = o2 a ~ ~
        2 10 = o3 ~ ~ ~
        3 12 = o1 a a 5
        3 12 = o2 a a 5
        4 11 = o2 b ~ ~
        5 13 = o1 a a 6
        6 15 = o1 b b 7
        6 15 = o2 b b 7
        7 16 = o1 b ~ ~
        7 16 = o2 b ~ ~
        8 17 x o1
        12 20 x o2
      `),
    );
    // three orders and a; the same; and b; b without a row, still pointed to by o2; o3 alone
    expect(rows).toEqual([4, 4, 5, 5, 4, 1]);
  });
});

describe('equi-join', () => {
  const right = schemaOf('k STRING, w INT');
  const join =
    (more: Partial<EquiJoinNode>) =>
    (context: ConstructorParameters<typeof EquiJoin>[1]): Operator => {
      const schema = schemaOf('k STRING, v INT, k2 STRING, w INT');
      const node: EquiJoinNode = {
        node: 'equiJoin',
        id: 'join',
        schema,
        ...between(stream, right),
        type: 'inner',
        condition: null,
        ...more,
      };
      return new EquiJoin(node, context, () => new StateTable());
    };

  test('inner: every row with each of the other side that is there, in order of arrival; equal rows are several', () => {
    const run = runJoin(
      [stream, right],
      join({}),
      `
        l 0 10 + a 1
        l 1 11 + a 1      # the same again, later
        r 2 12 + a 5
        --
        l 3 20 - a 1      # the last one that arrived goes
        r 4  9 + a 6
        l 5 20 + ~ 2      # meets nothing
        r 5 20 + ~ 2
        l 6 20 - b 1      # was never there
        --
        r 7 20 - a 5
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        2 12 + a 1 a 5
        2 12 + a 1 a 5
        3 12 - a 1 a 5
        4 10 + a 1 a 6
        7 12 - a 1 a 5
      `),
    );
    expect(run.rejected).toEqual([]);
  });

  test('full: a row has its null row while it meets none', () => {
    const run = runJoin(
      [stream, right],
      join({ type: 'full' }),
      `
        l 0 10 + a 1
        l 1 11 + a 2
        r 2 12 + a 5      # both lose theirs
        r 3 13 + a 6
        --
        l 4 20 - a 1
        r 5 20 - a 5      # 2 meets 6 still
        l 6 20 - a 2      # 6 meets none
        r 7 20 - a 6
        l 8 14 + ~ 3
        l 9 20 - ~ 3
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        0 10 + a 1 ~ ~
        1 11 + a 2 ~ ~
        2 10 - a 1 ~ ~
        2 12 + a 1 a 5
        2 11 - a 2 ~ ~
        2 12 + a 2 a 5
        3 13 + a 1 a 6
        3 13 + a 2 a 6
        4 12 - a 1 a 5
        4 13 - a 1 a 6
        5 12 - a 2 a 5
        6 13 - a 2 a 6
        6 13 + ~ ~ a 6
        7 13 - ~ ~ a 6
        8 14 + ~ 3 ~ ~
        9 14 - ~ 3 ~ ~
      `),
    );
  });

  test('a condition decides over the joined row; its failures are counted when a row comes, not when it goes', () => {
    const schema = schemaOf('k STRING, v INT, k2 STRING, w INT');
    const run = runJoin(
      [stream, right],
      join({
        type: 'left',
        condition: {
          node: 'compare',
          op: '>',
          type: BOOLEAN,
          left: sixBy(schema),
          right: column(schema, 'w'),
        },
      }),
      `
        r 0 10 + a 2
        l 1 10 + a 2      # 3 > 2
        l 2 10 + a 6      # 1 > 2
        l 3 10 + a 0
        --
        l 4 10 - a 0
        r 5 10 - a 2
      `,
      { restart: true },
    );
    expect(run.output).toBe(
      table(`
        1 10 + a 2 a 2
        2 10 + a 6 ~ ~
        3 10 + a 0 ~ ~
        4 10 - a 0 ~ ~
        5 10 - a 2 a 2
        5 10 + a 2 ~ ~
      `),
    );
    expect(run.rejected).toEqual(['3 expression_failed']);
  });

  test('what has gone takes no room', () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => {
      const [side, number] = [i % 4 < 2 ? 'l' : 'r', i >> 1];
      return `${side} ${i} 0 ${i % 2 ? '-' : '+'} key-number-${number} 1`;
    });
    const sizes: { rows: number; bytes: number }[] = [];
    runJoin([stream, right], join({ type: 'full' }), lines.join('\n'), {
      after: operator => sizes.push(operator.size() ?? { rows: -1, bytes: -1 }),
    });
    expect(sizes.map(s => s.rows)).toEqual([0]);
    expect(sizes[0]?.bytes).toBeLessThan(500_000);
  });
});
