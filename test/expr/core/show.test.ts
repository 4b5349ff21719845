import { describe, expect, it } from 'vitest';
import { BIGINT, BOOLEAN, DATE, decimal, INT, STRING } from '../../../src/core/sql-type.ts';
import type { Expr } from '../../../src/expr/expr.ts';
import { createRegistry } from '../../../src/expr/function-registry.ts';
import type { ScalarFunction } from '../../../src/expr/functions.ts';
import { exprFingerprint, exprText, literalText } from '../../../src/expr/show.ts';
import { arithmetic, cast, column, compare, literal } from './evaluation.ts';

describe('expressions as text', () => {
  it('shows every operation in parentheses but the outermost', () => {
    const price = column(decimal(10, 2), 3);
    const big = compare('>=', arithmetic('*', price, literal(INT, 2)), literal(decimal(4, 2), 1250n));
    const late: Expr = { node: 'isNull', type: BOOLEAN, arg: column(DATE, 1), negated: true };
    expect(exprText({ node: 'and', type: BOOLEAN, left: big, right: late })).toBe(
      '((C3 * 2) >= 12.50) AND (C1 IS NOT NULL)',
    );
    expect(exprText(cast(arithmetic('+', price, price), STRING))).toBe('CAST((C3 + C3) AS STRING)');
  });

  it('shows literals as SQL', () => {
    expect(literalText(STRING, "it's")).toBe("'it''s'");
    expect(literalText(DATE, 0)).toBe("DATE '1970-01-01'");
    expect(literalText(BOOLEAN, true)).toBe('TRUE');
    expect(literalText(BIGINT, null)).toBe('NULL');
  });
});

describe('fingerprints', () => {
  it('tell values, types and positions apart, but not names', () => {
    const same = { ...column(INT, 1), name: 'renamed' } as Expr;
    expect(exprFingerprint(same)).toBe(exprFingerprint(column(INT, 1)));
    const different = [
      column(INT, 1),
      column(INT, 2),
      column(BIGINT, 1),
      literal(INT, 1),
      literal(BIGINT, 1n),
      literal(STRING, '1'),
      literal(STRING, null),
      compare('=', column(INT, 1), column(INT, 2)),
      compare('distinct', column(INT, 1), column(INT, 2)),
    ];
    expect(new Set(different.map(e => exprFingerprint(e))).size).toBe(different.length);
  });

  it('change with the version of a function', () => {
    const own = (version: number): ScalarFunction => ({
      kind: 'scalar',
      name: 'OWN',
      category: 'test',
      description: 'own',
      version,
      overloads: [{ signature: '() -> INT', make: () => () => version }],
    });
    const call: Expr = { node: 'call', type: INT, fn: 'OWN', args: [], site: 0 };
    const of = (version: number) => exprFingerprint(call, createRegistry([own(version)]));
    expect(of(1)).not.toBe(of(2));
    expect(of(1)).toBe(exprFingerprint(call));
  });
});
