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
  type SqlType,
  STRING,
  structOf,
  TIME,
  TIMESTAMP,
} from '../../../src/core/sql-type.ts';
import type { Value } from '../../../src/core/value.ts';
import { cast, evaluate, literal } from './evaluation.ts';

const run = (value: Value | null, from: SqlType, to: SqlType) => evaluate(cast(literal(from, value), to));

describe('numbers', () => {
  it('lose their fraction towards zero when they become whole', () => {
    expect(run(1.9, DOUBLE, INT)).toBe(1);
    expect(run(-1.9, DOUBLE, BIGINT)).toBe(-1n);
    expect(Object.is(run(-0.5, DOUBLE, INT), 0)).toBe(true);
    expect(run(-199n, decimal(5, 2), INT)).toBe(-1);
  });

  it('are rounded half up when they become DECIMAL', () => {
    expect(run(1.005, DOUBLE, decimal(5, 2))).toBe(101n);
    expect(run(-1255n, decimal(6, 3), decimal(5, 2))).toBe(-126n);
    expect(run(7, INT, decimal(5, 2))).toBe(700n);
    expect(run(' 12.345 ', STRING, decimal(5, 2))).toBe(1235n);
  });

  it('out of range are NULL and reported, never wrapped around', () => {
    expect(run(2147483648n, BIGINT, INT)).toBe('! 2147483648 is out of the range of INT');
    expect(run(1e10, DOUBLE, INT)).toBe('! 10000000000 is out of the range of INT');
    expect(run(Number.NaN, DOUBLE, BIGINT)).toBe('! NaN is out of the range of BIGINT');
    expect(run('9223372036854775808', STRING, BIGINT)).toContain('out of the range of BIGINT');
    expect(run(1000, INT, decimal(4, 2))).toBe('! 1000.00 does not fit DECIMAL(4, 2)');
    expect(run(9995n, decimal(5, 3), decimal(3, 2))).toBe('! 10.00 does not fit DECIMAL(3, 2)');
    expect(run(Number.POSITIVE_INFINITY, DOUBLE, decimal(4, 2))).toBe('! Infinity is no DECIMAL(4, 2)');
  });

  it('keep every digit from DECIMAL and BIGINT to the nearest DOUBLE', () => {
    expect(run(110n, decimal(5, 2), DOUBLE)).toBe(1.1);
    expect(run(9007199254740993n, BIGINT, DOUBLE)).toBe(9007199254740992);
  });
});

describe('texts', () => {
  it.each([
    ['true', true],
    ['YES', true],
    ['t', true],
    ['fal', false],
    ['no', false],
    ['maybe', '! "maybe" is no BOOLEAN'],
    ['', '! "" is no BOOLEAN'],
  ])('%j as BOOLEAN', (text, expected) => {
    expect(run(text, STRING, BOOLEAN)).toBe(expected);
  });

  it.each([
    ['42', INT, 42],
    [' -7 ', INT, -7],
    ['1.5', INT, '! "1.5" is no whole number'],
    ['1e2', DOUBLE, 100],
    ['NaN', DOUBLE, Number.NaN],
    ['abc', DOUBLE, '! "abc" is no DOUBLE'],
    ['abc', decimal(4, 2), '! "abc" is no DECIMAL(4, 2)'],
  ])('%j as a number', (text, type, expected) => {
    expect(run(text, STRING, type)).toEqual(expected);
  });

  it.each([
    ['2026-11-24', DATE, 20_781],
    ['2026-11', DATE, 20_758],
    ['2024-02-30', DATE, '! "2024-02-30" is no DATE'],
    ['13:05', TIME, 47_100_000],
    ['13:05:00.25', TIME, 47_100_250],
    ['24:00', TIME, '! "24:00" is no TIME'],
    ['2026-11-24T13:05:00', TIMESTAMP, 1_795_525_500_000],
    ['2026-11-24T15:05+02:00', TIMESTAMP, 1_795_525_500_000],
    ['2026-11-24 13:05:00.001Z', TIMESTAMP, 1_795_525_500_001],
    ['2026-11-24T05', TIMESTAMP, 1_795_496_400_000],
    ['2026', TIMESTAMP, 1_767_225_600_000],
    ['soon', TIMESTAMP, '! "soon" is no TIMESTAMP'],
  ])('%j as a time', (text, type, expected) => {
    expect(run(text, STRING, type)).toBe(expected);
  });
});

describe('to STRING', () => {
  it.each<[Value, SqlType, string]>([
    [true, BOOLEAN, 'true'],
    [-5, INT, '-5'],
    [9007199254740993n, BIGINT, '9007199254740993'],
    [-5n, decimal(6, 3), '-0.005'],
    [1, DOUBLE, '1.0'],
    [0.1, DOUBLE, '0.1'],
    [1e7, DOUBLE, '1.0E7'],
    [1.25e-5, DOUBLE, '1.25E-5'],
    [-0, DOUBLE, '-0.0'],
    [20_781, DATE, '2026-11-24'],
    [3_600_000, TIME, '01:00:00'],
    [-1, TIMESTAMP, '1969-12-31T23:59:59.999'],
    [[1, null, 3], arrayOf(INT), '[1, null, 3]'],
    [new Map([['this', 1]]), mapOf(STRING, INT), '{this=1}'],
    [
      [1, null, 'x'],
      structOf([
        { name: 'F0', type: INT },
        { name: 'gone', type: INT },
        { name: 'f1', type: STRING },
      ]),
      'Struct{F0=1,f1=x}',
    ],
  ])('%o of %o', (value, type, text) => {
    expect(run(value, type, STRING)).toBe(text);
  });
});

describe('times', () => {
  it('are cut to the day and to the time of the day, before 1970 too', () => {
    expect(run(1_795_525_500_250, TIMESTAMP, DATE)).toBe(20_781);
    expect(run(1_795_525_500_250, TIMESTAMP, TIME)).toBe(47_100_250);
    expect(run(-1, TIMESTAMP, DATE)).toBe(-1);
    expect(run(-1, TIMESTAMP, TIME)).toBe(86_399_999);
    expect(run(20_781, DATE, TIMESTAMP)).toBe(1_795_478_400_000);
  });
});

describe('structured values', () => {
  it('are cast element by element', () => {
    expect(run(['1', null, 'x'], arrayOf(STRING), arrayOf(INT))).toBe('! "x" is no whole number');
    expect(run(['1', null], arrayOf(STRING), arrayOf(INT))).toEqual([1, null]);
    expect(run(new Map([['a', 1n]]), mapOf(STRING, BIGINT), mapOf(STRING, INT))).toEqual(new Map([['a', 1]]));
  });

  it('STRUCTs are cast by field name; what is missing is NULL', () => {
    const from = structOf([
      { name: 'A', type: INT },
      { name: 'B', type: STRING },
    ]);
    const to = structOf([
      { name: 'C', type: DATE },
      { name: 'A', type: BIGINT },
    ]);
    expect(run([5, 'x'], from, to)).toEqual([null, 5n]);
  });

  it('NULL stays NULL', () => {
    expect(run(null, STRING, INT)).toBeNull();
  });
});
