import { describe, expect, it } from 'vitest';
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  DATE,
  DOUBLE,
  decimal,
  INT,
  mapOf,
  STRING,
  structOf,
  TIMESTAMP,
} from '../../../src/core/sql-type.ts';
import type { Value } from '../../../src/core/value.ts';
import { compileExpr } from '../../../src/expr/closure.ts';
import type { CompareOp, Expr } from '../../../src/expr/expr.ts';
import { createRegistry } from '../../../src/expr/function-registry.ts';
import type { Lambda } from '../../../src/expr/functions.ts';
import { arithmetic, cast, column, compare, context, evaluate, literal } from './evaluation.ts';

const int = (n: number | null) => literal(INT, n);
const bool = (b: boolean | null) => literal(BOOLEAN, b);
const text = (s: string | null) => literal(STRING, s);
const both = (node: 'and' | 'or', left: Expr, right: Expr): Expr => ({ node, type: BOOLEAN, left, right });

/** An expression that reports when it is run: shows what is not evaluated. */
const boom: Expr = compare('=', arithmetic('/', int(1), int(0)), int(1));

describe('three-valued logic', () => {
  it.each([
    [true, true, true, true],
    [true, false, false, true],
    [true, null, null, true],
    [false, true, false, true],
    [false, false, false, false],
    [false, null, false, null],
    [null, true, null, true],
    [null, false, false, null],
    [null, null, null, null],
  ])('%s, %s: AND %s, OR %s', (a, b, and, or) => {
    expect(evaluate(both('and', bool(a), bool(b)))).toBe(and);
    expect(evaluate(both('or', bool(a), bool(b)))).toBe(or);
  });

  it('NOT NULL is NULL', () => {
    expect(evaluate({ node: 'not', type: BOOLEAN, arg: bool(null) })).toBeNull();
    expect(evaluate({ node: 'not', type: BOOLEAN, arg: bool(false) })).toBe(true);
  });

  it('stops at a left side that decides', () => {
    expect(evaluate(both('and', bool(false), boom))).toBe(false);
    expect(evaluate(both('or', bool(true), boom))).toBe(true);
    expect(evaluate(both('and', bool(null), boom))).toBe('! division by zero');
  });
});

describe('comparison', () => {
  it('with NULL is NULL, but DISTINCT knows NULLs apart', () => {
    const ops: CompareOp[] = ['=', '<>', '<', '<=', '>', '>='];
    for (const op of ops) expect(evaluate(compare(op, int(1), int(null)))).toBeNull();
    expect(evaluate(compare('distinct', int(1), int(null)))).toBe(true);
    expect(evaluate(compare('distinct', int(null), int(null)))).toBe(false);
    expect(evaluate(compare('not distinct', int(null), int(null)))).toBe(true);
    expect(evaluate(compare('distinct', int(1), int(1)))).toBe(false);
  });

  it('with a literal NULL of any type is NULL', () => {
    expect(evaluate(compare('=', int(1), text(null)))).toBeNull();
    expect(evaluate(compare('distinct', int(1), text(null)))).toBe(true);
  });

  it('takes sides of different types to a common one', () => {
    expect(evaluate(compare('=', literal(decimal(4, 2), 1150n), literal(decimal(3, 1), 115n)))).toBe(true);
    expect(evaluate(compare('<', int(1), literal(decimal(3, 2), 101n)))).toBe(true);
    expect(evaluate(compare('=', literal(DATE, 20_781), text('2026-11-24')))).toBe(true);
    expect(evaluate(compare('>', literal(TIMESTAMP, 1), literal(DATE, 0)))).toBe(true);
    expect(evaluate(compare('=', literal(arrayOf(INT), [1, 2]), literal(arrayOf(BIGINT), [1n, 2n])))).toBe(
      true,
    );
  });

  it('compares DECIMALs that no common type holds', () => {
    const large = literal(decimal(38, 0), 10n ** 37n);
    const fine = literal(decimal(38, 37), 1n);
    expect(evaluate(compare('>', large, fine))).toBe(true);
    expect(evaluate(compare('<>', large, fine))).toBe(true);
  });

  it('compares texts by code point', () => {
    expect(evaluate(compare('<', text('\uFFFD'), text('\u{1F600}')))).toBe(true);
  });

  it('a text that is no date compares as NULL', () => {
    expect(evaluate(compare('<', literal(DATE, 1), text('someday')))).toBe('! "someday" is no DATE');
  });
});

describe('IN', () => {
  const isIn = (arg: Expr, list: Expr[], negated = false): Expr => ({
    node: 'in',
    type: BOOLEAN,
    arg,
    list,
    negated,
  });

  it('is NULL where a NULL leaves it open', () => {
    expect(evaluate(isIn(int(1), [int(2), int(1)]))).toBe(true);
    expect(evaluate(isIn(int(1), [int(2), int(3)]))).toBe(false);
    expect(evaluate(isIn(int(1), [int(null), int(1)]))).toBe(true);
    expect(evaluate(isIn(int(1), [int(null), int(2)]))).toBeNull();
    expect(evaluate(isIn(int(null), [int(1)]))).toBeNull();
    expect(evaluate(isIn(int(1), [int(null), int(2)], true))).toBeNull();
    expect(evaluate(isIn(int(1), [int(1)], true))).toBe(false);
  });

  it('stops at the first match', () => {
    expect(evaluate(isIn(bool(true), [bool(true), boom]))).toBe(true);
  });
});

describe('arithmetic', () => {
  const on = (op: '+' | '-' | '*' | '/' | '%', type: typeof INT, a: Value, b: Value) =>
    evaluate(arithmetic(op, literal(type, a), literal(type, b)));

  it('INT and BIGINT cut division towards zero', () => {
    expect(on('/', INT, -7, 2)).toBe(-3);
    expect(on('%', INT, -7, 2)).toBe(-1);
    expect(Object.is(on('%', INT, -4, 2), 0)).toBe(true);
    expect(on('/', BIGINT, 7n, -2n)).toBe(-3n);
  });

  it('overflow is NULL and reported, never wrapped around', () => {
    expect(on('+', INT, 2147483647, 1)).toBe('! 2147483647 + 1 is out of the range of INT');
    expect(on('*', INT, 65536, 65536)).toContain('out of the range of INT');
    expect(on('/', INT, -2147483648, -1)).toContain('out of the range of INT');
    expect(on('-', BIGINT, -(2n ** 63n), 1n)).toContain('out of the range of BIGINT');
    expect(evaluate({ node: 'negate', type: INT, arg: int(-2147483648) })).toContain('out of the range');
  });

  it('division by zero is NULL and reported; DOUBLE follows IEEE 754', () => {
    expect(on('/', INT, 1, 0)).toBe('! division by zero');
    expect(on('%', BIGINT, 1n, 0n)).toBe('! division by zero');
    expect(on('/', decimal(3, 2), 1n, 0n)).toBe('! division by zero');
    expect(on('/', DOUBLE, 1, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(on('%', DOUBLE, 5.5, 2)).toBe(1.5);
  });

  it('mixes types and keeps decimals exact', () => {
    expect(evaluate(arithmetic('+', int(1), literal(BIGINT, 2n)))).toBe(3n);
    expect(evaluate(arithmetic('*', literal(decimal(4, 2), 1999n), int(3)))).toBe(5997n);
    expect(evaluate(arithmetic('/', int(1), literal(decimal(2, 1), 30n)))).toBe(333333n);
    expect(evaluate(arithmetic('+', literal(decimal(3, 1), 15n), literal(DOUBLE, 0.25)))).toBe(1.75);
    const wide = literal(decimal(38, 0), 10n ** 38n - 1n);
    expect(evaluate(arithmetic('+', wide, wide))).toContain('does not fit DECIMAL(38, 0)');
  });

  it('+ joins texts, NULL makes NULL, -0 stays out of integers', () => {
    expect(evaluate(arithmetic('+', text('a'), text('b')))).toBe('ab');
    expect(evaluate(arithmetic('+', text('a'), text(null)))).toBeNull();
    expect(Object.is(evaluate({ node: 'negate', type: INT, arg: int(0) }), 0)).toBe(true);
    expect(Object.is(on('*', INT, -1, 0), 0)).toBe(true);
  });
});

describe('CASE', () => {
  it('runs only what it must', () => {
    const choose = (when: Expr, otherwise: Expr | null): Expr => ({
      node: 'case',
      type: STRING,
      whens: [
        { when, then: text('first') },
        { when: boom, then: text('second') },
      ],
      otherwise,
    });
    expect(evaluate(choose(bool(true), null))).toBe('first');
    expect(evaluate(choose(bool(null), text('none')))).toBe('! division by zero');
    const one: Expr = {
      node: 'case',
      type: STRING,
      whens: [{ when: bool(null), then: boom }],
      otherwise: null,
    };
    expect(evaluate(one)).toBeNull();
  });
});

describe('structured values', () => {
  const items = literal(arrayOf(STRING), ['a', 'b', null]);
  const at = (index: Expr, arg: Expr = items): Expr => ({ node: 'subscript', type: STRING, arg, index });

  it('ARRAY counts from 1, and from the end with a minus; outside is NULL', () => {
    expect([1, 2, 3, 4, 0, -1, -3, -4].map(i => evaluate(at(int(i))))).toEqual([
      'a',
      'b',
      null,
      null,
      null,
      null,
      'a',
      null,
    ]);
    expect(evaluate(at(literal(BIGINT, 2n)))).toBe('b');
  });

  it('MAP gives NULL for a key that it does not have', () => {
    const map = literal(mapOf(STRING, STRING), new Map([['k', 'v']]));
    expect(evaluate(at(text('k'), map))).toBe('v');
    expect(evaluate(at(text('x'), map))).toBeNull();
    expect(evaluate(at(text(null), map))).toBeNull();
  });

  it('STRUCT gives its fields; of NULL all fields are NULL', () => {
    const type = structOf([
      { name: 'A', type: INT },
      { name: 'B', type: STRING },
    ]);
    const field = (arg: Expr): Expr => ({ node: 'field', type: STRING, arg, index: 1, name: 'B' });
    expect(evaluate(field(literal(type, [1, 'x'])))).toBe('x');
    expect(evaluate(field(literal(type, null)))).toBeNull();
  });

  it('constructors evaluate their parts; a NULL key is the text null', () => {
    expect(evaluate({ node: 'array', type: arrayOf(INT), items: [int(1), int(null)] })).toEqual([1, null]);
    expect(
      evaluate({
        node: 'map',
        type: mapOf(STRING, INT),
        entries: [
          { key: text('a'), value: int(1) },
          { key: text(null), value: int(2) },
        ],
      }),
    ).toEqual(
      new Map([
        ['a', 1],
        ['null', 2],
      ]),
    );
  });
});

describe('LIKE', () => {
  const like = (value: string | null, pattern: string | null, escapeChar: string | null = null) =>
    evaluate(
      {
        node: 'like',
        type: BOOLEAN,
        arg: column(STRING, 0),
        pattern: column(STRING, 1),
        escape: escapeChar,
        negated: false,
      },
      [value, pattern],
    );

  it.each([
    ['foo', 'foo', true],
    ['foo', 'FOO', false],
    ['foo', 'f_o', true],
    ['foobar', '%oba%', true],
    ['foobar', 'foo%', true],
    ['foobar', '%bar', true],
    ['foobar', 'foo%bar', true],
    ['foar', 'foo%oar', false],
    ['', '%', true],
    ['', '_', false],
    ['a\nb', 'a%b', true],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['\u{1F600}', '_', true],
    ['aXbXc', 'a%b%c', true],
    ['aXbX', 'a%b%c', false],
    ['mississippi', '%iss%ip%_', true],
  ])('%j LIKE %j is %s, as a column and as a literal', (value, pattern, expected) => {
    expect(like(value, pattern)).toBe(expected);
    const fixed: Expr = {
      node: 'like',
      type: BOOLEAN,
      arg: text(value),
      pattern: text(pattern),
      escape: null,
      negated: true,
    };
    expect(evaluate(fixed)).toBe(!expected);
  });

  it('the escape character takes the meaning from % and _', () => {
    expect(like('50%', '50!%', '!')).toBe(true);
    expect(like('50x', '50!%', '!')).toBe(false);
    expect(like('a!b', 'a!!b', '!')).toBe(true);
    expect(like('\\%', '\\%')).toBe(true);
  });

  it('is quick for patterns that make regular expressions slow', () => {
    expect(like('a'.repeat(2000), `${'%a'.repeat(30)}%b`)).toBe(false);
  });

  it('of NULL is NULL', () => {
    expect(like(null, '%')).toBeNull();
    expect(like('a', null)).toBeNull();
  });
});

describe('functions and lambdas', () => {
  const registry = createRegistry([
    {
      kind: 'scalar',
      name: 'TRANSFORM',
      category: 'test',
      description: 'maps an array',
      overloads: [
        {
          signature: '(ARRAY<T>, (T) => R) -> ARRAY<R>',
          make:
            () =>
            ([list, fn]) =>
              (list as readonly Value[]).map(x => (fn as Lambda)(x)),
        },
      ],
    },
    {
      kind: 'scalar',
      name: 'BROKEN',
      category: 'test',
      description: 'throws',
      overloads: [
        {
          signature: '(INT) -> INT',
          make: () => () => {
            throw new Error('out of luck');
          },
        },
      ],
    },
  ]);
  const call = (fn: string, args: Expr[], type: Expr['type']): Expr => ({
    node: 'call',
    type,
    fn,
    args,
    site: 0,
  });
  const parameter = (slot: number): Expr => ({ node: 'parameter', type: INT, slot, name: `p${slot}` });
  const lambda = (slot: number, body: Expr): Expr => ({
    node: 'lambda',
    type: body.type,
    slots: [slot],
    body,
  });

  it('nested lambdas see the outer parameter and the row', () => {
    // x => TRANSFORM(inner, y => x * y + C1)
    const inner = call(
      'TRANSFORM',
      [
        literal(arrayOf(INT), [1, 2]),
        lambda(1, arithmetic('+', arithmetic('*', parameter(0), parameter(1)), column(INT, 1))),
      ],
      arrayOf(INT),
    );
    const outer = call('TRANSFORM', [column(arrayOf(INT), 0), lambda(0, inner)], arrayOf(arrayOf(INT)));
    expect(evaluate(outer, [[10, 20], 5], registry)).toEqual([
      [15, 25],
      [25, 45],
    ]);
  });

  it('a function that throws gives NULL and is reported', () => {
    expect(evaluate(call('BROKEN', [int(1)], INT), [], registry)).toBe('! BROKEN: out of luck');
    expect(evaluate(call('BROKEN', [int(null)], INT), [], registry)).toBeNull();
  });
});

describe('the clock', () => {
  it('comes from the context alone', () => {
    const ctx = context({ now: 5000, rowtime: 7000 });
    const none = createRegistry([]);
    expect(compileExpr({ node: 'now', type: TIMESTAMP }, none)([], ctx)).toBe(5000);
    expect(compileExpr({ node: 'rowtime', type: BIGINT }, none)([], ctx)).toBe(7000n);
    expect(evaluate(cast({ node: 'now', type: TIMESTAMP }, STRING))).toBe('1970-01-01T00:00:01.000');
  });
});
