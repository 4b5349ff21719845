import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BIGINT, BOOLEAN, DOUBLE, decimal, INT, type SqlType, STRING } from '../../src/core/sql-type.ts';
import type { Row, Value } from '../../src/core/value.ts';
import { batchOf } from '../../src/core/vec.ts';
import { compileExpr } from '../../src/expr/closure.ts';
import type { CompareOp, Expr } from '../../src/expr/expr.ts';
import type { EvalContext } from '../../src/expr/functions.ts';
import { generatePredicate } from '../../src/expr/generate.ts';
import { standardLibrary } from '../../src/expr/library.ts';

const TYPES: readonly SqlType[] = [INT, BIGINT, decimal(18, 2), DOUBLE, STRING, BOOLEAN];
const VALUES: readonly (readonly Value[])[] = [
  [0, 1, -1, 2147483647, -2147483648],
  [0n, 1n, -1n, 9007199254740991n, 9007199254740992n, 9007199254740993n, -9223372036854775808n],
  [0n, 150n, -150n, 999999999999999999n],
  [0, -0, 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300],
  ['', 'a', 'b', 'aé', 'z'.repeat(40), '\ud83d\ude00'],
  [true, false],
];

const column = (index: number): Expr => ({
  node: 'column',
  type: TYPES[index] as SqlType,
  index,
  name: `c${index}`,
});
const literal = (index: number, value: Value | null): Expr => ({
  node: 'literal',
  type: TYPES[index] as SqlType,
  value,
});

const indexes = fc.nat(TYPES.length - 1);
const operand = (index: number): fc.Arbitrary<Expr> =>
  fc.oneof(
    fc.constant(column(index)),
    fc.constantFrom(...(VALUES[index] ?? []), null).map(value => literal(index, value)),
  );
const widened = (index: number): fc.Arbitrary<Expr> => {
  const type = TYPES[index] as SqlType;
  const wide = type.kind === 'BIGINT' || type.kind === 'DOUBLE';
  return wide
    ? fc.oneof(operand(index), fc.constant<Expr>({ node: 'cast', type, arg: column(0) }))
    : operand(index);
};
const comparison = indexes.chain(index =>
  fc
    .tuple(fc.constantFrom<CompareOp>('=', '<>', '<', '<=', '>', '>='), widened(index), operand(index))
    .map(([op, left, right]): Expr => ({ node: 'compare', type: BOOLEAN, op, left, right })),
);
const membership = indexes.chain(index =>
  fc
    .tuple(fc.array(fc.constantFrom(...(VALUES[index] ?? []), null), { maxLength: 3 }), fc.boolean())
    .map(([list, negated]): Expr => {
      return {
        node: 'in',
        type: BOOLEAN,
        arg: column(index),
        list: list.map(v => literal(index, v)),
        negated,
      };
    }),
);
const nullTest = fc
  .tuple(indexes, fc.boolean())
  .map(([index, negated]): Expr => ({ node: 'isNull', type: BOOLEAN, arg: column(index), negated }));

const { predicate } = fc.letrec<{ predicate: Expr }>(tie => {
  const part = tie('predicate');
  return {
    predicate: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      comparison,
      membership,
      nullTest,
      fc.constant(column(5)),
      fc
        .tuple(fc.constantFrom('and' as const, 'or' as const), part, part)
        .map(([node, left, right]): Expr => ({ node, type: BOOLEAN, left, right })),
      part.map((arg): Expr => ({ node: 'not', type: BOOLEAN, arg })),
      fc.tuple(part, part, fc.option(part)).map(
        ([when, then, otherwise]): Expr => ({
          node: 'case',
          type: BOOLEAN,
          whens: [{ when, then }],
          otherwise,
        }),
      ),
    ),
  };
});

const row: fc.Arbitrary<Row> = fc.tuple(...VALUES.map(values => fc.constantFrom(...values, null)));
const schema = { columns: TYPES.map((type, i) => ({ name: `c${i}`, type })), key: [], windowed: false };
const ctx: EvalContext = { now: 0, rowtime: 0, seq: 0, zone: 'UTC', fail: () => null };

test('a generated predicate says what the closure says', () => {
  let generated = 0;
  let runs = 0;
  fc.assert(
    fc.property(predicate, fc.array(row, { minLength: 1, maxLength: 8 }), (expr, rows) => {
      runs++;
      const zeros = rows.map(() => 0);
      const bound = generatePredicate(expr)?.(batchOf({ schema, rows, seq: zeros, rowtime: zeros }).cols);
      if (!bound) return;
      generated++;
      const closure = compileExpr(expr, standardLibrary);
      expect(rows.map((_, i) => bound(i))).toEqual(rows.map(r => closure(r, ctx) === true));
    }),
    { numRuns: 2000, seed: 4711 },
  );
  expect(generated).toBeGreaterThan(runs / 3);
});
