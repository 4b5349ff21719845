import { describe, expect, test } from 'vitest';
import { arrayOf, BOOLEAN, INT } from '../../src/core/sql-type.ts';
import { batchOf, rowAt, selectedRows } from '../../src/core/vec.ts';
import type { Expr } from '../../src/expr/expr.ts';
import { Explode } from '../../src/operators/explode.ts';
import { Filter } from '../../src/operators/filter.ts';
import { Project } from '../../src/operators/project.ts';
import { Rekey } from '../../src/operators/rekey.ts';
import { Union } from '../../src/operators/union.ts';
import { column, input, int, runOperator, schemaOf, table } from './change-tables.ts';

const above = (left: Expr, right: Expr): Expr => ({ node: 'compare', type: BOOLEAN, op: '>', left, right });
const plus = (left: Expr, right: Expr): Expr => ({ node: 'arithmetic', type: INT, op: '+', left, right });

describe('filter', () => {
  const schema = schemaOf('k STRING KEY, v INT');
  const filter = (text: string) =>
    runOperator(
      schema,
      context =>
        new Filter(
          {
            node: 'filter',
            id: 'filter',
            schema,
            input: input(schema),
            predicate: above(column(schema, 'v'), int(1)),
          },
          context,
        ),
      text,
    ).output;

  test('keeps + and - of rows that pass', () => {
    expect(
      filter(`
        0 10 + a 1   # not above 1
        1 10 + a 2
        2 10 - a 1
        3 10 - a 2
        4 10 + a ~   # NULL is not true
        5 10 + ()    # a record without value never passes
      `),
    ).toBe(
      table(`
        1 10 + a 2
        3 10 - a 2
      `),
    );
  });

  test('over upsert, a row that fails takes its key away', () => {
    expect(
      filter(`
        0 10 = a 2
        1 11 = a 1
        2 12 x a
      `),
    ).toBe(
      table(`
        0 10 = a 2
        1 11 x a
        2 12 x a
      `),
    );
  });
});

describe('project', () => {
  const schema = schemaOf('k STRING KEY, v INT');
  const columns = [column(schema, 'k'), plus(column(schema, 'v'), int(1))];
  const out = schemaOf('k STRING KEY, w INT');

  test('computes columns; of a DELETE and of a record without value only the key', () => {
    const run = runOperator(
      schema,
      context =>
        new Project({ node: 'project', id: 'project', schema: out, input: input(schema), columns }, context),
      `
        0 10 = a 1
        1 11 = b ~
        2 12 x a
        3 13 = c 2147483647   # out of range: NULL, and reported
      `,
    );
    expect(run.output).toBe(
      table(`
        0 10 = a 2
        1 11 = b ~
        2 12 x a
        3 13 = c ~
      `),
    );
    expect(run.rejected).toEqual(['3 expression_failed']);
  });
});

describe('rekey', () => {
  const schema = schemaOf('k STRING KEY, v INT');

  test('the key expressions come first; a record without value keeps a key that is computed from its key', () => {
    const rekey = (key: Expr) =>
      runOperator(
        schema,
        context =>
          new Rekey(
            {
              node: 'rekey',
              id: 'rekey',
              schema: schemaOf('n INT KEY, k STRING, v INT'),
              input: input(schema),
              keys: [key],
              rest: [0, 1],
            },
            context,
          ),
        '0 10 + a 1\n1 11 + ()',
      ).output;
    expect(rekey(plus(column(schema, 'v'), int(1)))).toBe('0 10 + 2 a 1\n1 11 + ~ ~ ~');
    expect(rekey(int(7))).toBe('0 10 + 7 a 1\n1 11 + 7 ~ ~');
  });
});

describe('explode', () => {
  const schema = schemaOf('a INT, b INT');
  const list = (...items: Expr[]): Expr => ({ node: 'array', type: arrayOf(INT), items });

  test('side by side: as many rows as the longest list, shorter ones padded', () => {
    const [a, b] = [column(schema, 'a'), column(schema, 'b')];
    const run = runOperator(
      schema,
      context =>
        new Explode(
          {
            node: 'explode',
            id: 'explode',
            schema: schemaOf('a INT, b INT, x INT, y INT'),
            input: input(schema),
            functions: [
              { fn: 'EXPLODE', args: [list(a, b, int(9))], type: INT },
              { fn: 'EXPLODE', args: [list(b)], type: INT },
            ],
          },
          context,
        ),
      '0 10 + 1 2\n1 11 + ()',
    );
    expect(run.output).toBe(
      table(`
        0 10 + 1 2 1 2
        0 10 + 1 2 2 ~
        0 10 + 1 2 9 ~
      `),
    );
  });
});

describe('union', () => {
  const schema = schemaOf('v INT');

  test('a batch of which no row is left hides nothing behind it', () => {
    const batch = (v: number) => batchOf({ schema, rows: [[v]], seq: [v], rowtime: [0] });
    const none = { ...batch(1), sel: new Int32Array(0) };
    const union = new Union({ node: 'union', id: 'union', schema, inputs: [] });
    const epoch = { firstSeq: 0, n: 9, appendTime: new Float64Array(9) };
    const out = union.step(epoch, [[none, batch(4)], [batch(3)]]);
    expect(out.flatMap(b => [...selectedRows(b)].map(i => rowAt(b, i)))).toEqual([[3], [4]]);
  });

  test('merges by sequence, then by input', () => {
    const inner = new Union({ node: 'union', id: 'union', schema, inputs: [] });
    const run = runOperator(
      schema,
      () => ({
        ...inner,
        id: 'twice',
        // both inputs are the same rows: each sequence gives the first input's rows, then the second's
        step: (epoch, [rows = []]) => inner.step(epoch, [rows, rows]),
        deadline: () => null,
        state: () => null,
        load: () => undefined,
        size: () => null,
      }),
      `
        0 10 + 1
        0 10 + 2
        4 11 - 3
      `,
    );
    expect(run.output).toBe(
      table(`
        0 10 + 1
        0 10 + 2
        0 10 + 1
        0 10 + 2
        4 11 - 3
        4 11 - 3
      `),
    );
  });
});
