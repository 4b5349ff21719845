import { describe, expect, it } from 'vitest';
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  mapOf,
  type SqlType,
  STRING,
  structOf,
  TIME,
  TIMESTAMP,
  typeText,
} from '../../../src/core/sql-type.ts';
import {
  arithmeticType,
  canCast,
  canWiden,
  commonType,
  comparable,
  comparisonType,
  numberLiteral,
} from '../../../src/expr/coercion.ts';

const text = (type: SqlType | null) => type && typeText(type);

describe('the common type', () => {
  it.each([
    [INT, BIGINT, 'BIGINT'],
    [INT, decimal(4, 2), 'DECIMAL(12, 2)'],
    [BIGINT, decimal(4, 2), 'DECIMAL(21, 2)'],
    [decimal(6, 1), decimal(4, 3), 'DECIMAL(8, 3)'],
    [decimal(6, 1), DOUBLE, 'DOUBLE'],
    [decimal(38, 0), decimal(38, 10), 'DECIMAL(38, 6)'],
    [arrayOf(INT), arrayOf(BIGINT), 'ARRAY<BIGINT>'],
    [mapOf(STRING, INT), mapOf(STRING, DOUBLE), 'MAP<STRING, DOUBLE>'],
    [STRING, INT, null],
    [BOOLEAN, INT, null],
    [DATE, TIMESTAMP, null],
  ])('%o, %o -> %s', (a, b, expected) => {
    expect(text(commonType(a, b))).toBe(expected);
    expect(text(commonType(b, a))).toBe(expected);
  });

  it('of STRUCTs has the fields of both', () => {
    const a = structOf([
      { name: 'A', type: INT },
      { name: 'B', type: STRING },
    ]);
    const b = structOf([
      { name: 'C', type: DATE },
      { name: 'A', type: BIGINT },
    ]);
    expect(text(commonType(a, b))).toBe('STRUCT<`A` BIGINT, `B` STRING, `C` DATE>');
    expect(commonType(a, structOf([{ name: 'A', type: STRING }]))).toBeNull();
  });
});

describe('arithmetic', () => {
  it.each([
    ['+', INT, INT, 'INT'],
    ['/', INT, INT, 'INT'],
    ['*', INT, BIGINT, 'BIGINT'],
    ['+', decimal(5, 2), decimal(4, 3), 'DECIMAL(7, 3)'],
    ['-', decimal(5, 2), INT, 'DECIMAL(13, 2)'],
    ['*', decimal(5, 2), decimal(4, 1), 'DECIMAL(10, 3)'],
    ['/', decimal(5, 2), decimal(4, 1), 'DECIMAL(11, 7)'],
    ['%', decimal(5, 2), decimal(4, 1), 'DECIMAL(5, 2)'],
    ['*', decimal(30, 10), decimal(20, 10), 'DECIMAL(38, 7)'],
    ['+', decimal(5, 2), DOUBLE, 'DOUBLE'],
    ['+', STRING, STRING, 'STRING'],
    ['-', STRING, STRING, null],
    ['+', STRING, INT, null],
    ['+', DATE, INT, null],
  ] as const)('%s of %o and %o is %s', (op, a, b, expected) => {
    expect(text(arithmeticType(op, a, b))).toBe(expected);
  });
});

describe('comparison', () => {
  it('takes numbers among each other, and texts with times', () => {
    expect(text(comparisonType(INT, DOUBLE))).toBe('DOUBLE');
    expect(text(comparisonType(DATE, STRING))).toBe('DATE');
    expect(text(comparisonType(STRING, TIMESTAMP))).toBe('TIMESTAMP');
    expect(text(comparisonType(DATE, TIMESTAMP))).toBe('TIMESTAMP');
    expect(comparable(STRING, INT)).toBe(false);
    expect(comparable(TIME, TIMESTAMP)).toBe(false);
  });

  it('asks order only of types that have one', () => {
    for (const type of [BOOLEAN, arrayOf(INT), mapOf(STRING, INT), structOf([{ name: 'A', type: INT }])]) {
      expect(comparable(type, type, '=')).toBe(true);
      expect(comparable(type, type, 'distinct')).toBe(true);
      expect(comparable(type, type, '<')).toBe(false);
    }
    expect(comparable(BYTES, BYTES, '>=')).toBe(true);
    expect(comparable(STRING, STRING, '<')).toBe(true);
  });
});

describe('conversions', () => {
  it('widens without loss before the point', () => {
    expect(canWiden(INT, decimal(10, 0))).toBe(true);
    expect(canWiden(INT, decimal(10, 1))).toBe(false);
    expect(canWiden(BIGINT, INT)).toBe(false);
    expect(canWiden(decimal(5, 2), decimal(7, 3))).toBe(true);
    expect(canWiden(decimal(5, 2), decimal(7, 1))).toBe(false);
    expect(canWiden(arrayOf(INT), arrayOf(DOUBLE))).toBe(true);
    expect(canWiden(STRING, INT)).toBe(false);
  });

  it('casts what CAST documents and nothing else', () => {
    const yes: [SqlType, SqlType][] = [
      [DOUBLE, INT],
      [STRING, BOOLEAN],
      [STRING, decimal(4, 2)],
      [STRING, TIME],
      [TIMESTAMP, DATE],
      [DATE, TIMESTAMP],
      [arrayOf(INT), STRING],
      [arrayOf(STRING), arrayOf(INT)],
    ];
    const no: [SqlType, SqlType][] = [
      [BOOLEAN, INT],
      [INT, BOOLEAN],
      [STRING, BYTES],
      [BYTES, STRING],
      [TIME, TIMESTAMP],
      [STRING, arrayOf(INT)],
      [STRING, mapOf(STRING, INT)],
      [BIGINT, TIMESTAMP],
    ];
    for (const [from, to] of yes)
      expect([typeText(from), typeText(to), canCast(from, to)]).toEqual([typeText(from), typeText(to), true]);
    for (const [from, to] of no)
      expect([typeText(from), typeText(to), canCast(from, to)]).toEqual([
        typeText(from),
        typeText(to),
        false,
      ]);
  });
});

describe('number literals', () => {
  it.each([
    ['2147483647', 'INT', 2147483647],
    ['-2147483648', 'INT', -2147483648],
    ['2147483648', 'BIGINT', 2147483648n],
    ['00000002147483647', 'INT', 2147483647],
    ['-9223372036854775808', 'BIGINT', -9223372036854775808n],
    ['12.50', 'DECIMAL(4, 2)', 1250n],
    ['.5', 'DECIMAL(1, 1)', 5n],
    ['-0.05', 'DECIMAL(2, 2)', -5n],
    ['10.', 'DECIMAL(2, 0)', 10n],
    ['1e3', 'DOUBLE', 1000],
    ['1.5E-2', 'DOUBLE', 0.015],
  ])('%s is %s', (literal, type, value) => {
    const parsed = numberLiteral(literal);
    expect([text(parsed?.type ?? null), parsed?.value]).toEqual([type, value]);
  });

  it.each(['9223372036854775808', '1.8e308', '', '.', '1e', '--1', '0x10', `0.${'1'.repeat(39)}`])(
    '%s is refused',
    literal => {
      expect(numberLiteral(literal)).toBeNull();
    },
  );
});
