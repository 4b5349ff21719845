import fc from 'fast-check';
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
} from '../../../src/core/sql-type.ts';
import type { Value } from '../../../src/core/value.ts';
import { comparator, equality, nullable } from '../../../src/expr/compare.ts';
import { decodeRow, decodeValue, encodeRow, encodeValue } from '../../../src/expr/value-codec.ts';
import { valueToJson } from '../../../src/expr/value-json.ts';
import { rowKey, valueKey } from '../../../src/expr/value-key.ts';
import { typeWithValues } from '../arbitrary.ts';

describe('binary codec', () => {
  it('gives back every value of every type', () => {
    fc.assert(
      fc.property(typeWithValues(1), ([type, value]) => {
        expect(decodeValue(type, encodeValue(type, value ?? null))).toEqual(value);
      }),
    );
  });

  it('keeps integers of any size and the sign of zero', () => {
    for (const n of [0n, -1n, 63n, -64n, 2n ** 63n - 1n, -(2n ** 63n), 10n ** 60n, -(10n ** 60n)]) {
      expect(decodeValue(decimal(38, 2), encodeValue(decimal(38, 2), n))).toBe(n);
    }
    expect(decodeValue(DOUBLE, encodeValue(DOUBLE, -0))).toBe(-0);
    expect(decodeValue(DOUBLE, encodeValue(DOUBLE, Number.NaN))).toBeNaN();
  });

  it('is compact and the same every time', () => {
    expect([...encodeValue(INT, 5)]).toEqual([1, 10]);
    expect([...encodeValue(BIGINT, -1n)]).toEqual([1, 1]);
    expect([...encodeValue(STRING, null)]).toEqual([0]);
    expect([...encodeRow([STRING, BOOLEAN], ['ab', true])]).toEqual([1, 2, 97, 98, 2]);
  });

  it('writes whole rows and refuses what is cut or too long', () => {
    const types = [STRING, arrayOf(BIGINT), DATE];
    const row = ['x', [1n, null], 20_000];
    const bytes = encodeRow(types, row);
    expect(decodeRow(types, bytes)).toEqual(row);
    expect(() => decodeRow(types, bytes.slice(0, -1))).toThrow('too early');
    expect(() => decodeRow([STRING], bytes)).toThrow('follow the row');
  });
});

describe('keys and order', () => {
  it('two values have equal keys exactly when they are equal', () => {
    fc.assert(
      fc.property(typeWithValues(2), ([type, a = null, b = null]) => {
        const key = valueKey(type);
        const same = a === null || b === null ? a === b : equality(type)(a, b);
        expect(key(a) === key(b)).toBe(same);
        expect(key(a)).toBe(key(decodeValue(type, encodeValue(type, a))));
      }),
    );
  });

  it('the order is total', () => {
    fc.assert(
      fc.property(typeWithValues(3), ([type, a = null, b = null, c = null]) => {
        const compare = nullable(comparator(type));
        expect(Math.sign(compare(a, b))).toBe(-Math.sign(compare(b, a)) + 0);
        expect(compare(a, a)).toBe(0);
        const sorted = [a, b, c].sort(compare);
        expect(compare(sorted[0] ?? null, sorted[2] ?? null)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('sorts as SQL does', () => {
    const sort = (type: SqlType, values: (Value | null)[]) => values.sort(nullable(comparator(type)));
    expect(sort(STRING, ['b', 'B', 'a', '\u{1F600}', '\uFFFD', null])).toEqual([
      'B',
      'a',
      'b',
      '\uFFFD',
      '\u{1F600}',
      null,
    ]);
    expect(sort(DOUBLE, [Number.NaN, 1, Number.POSITIVE_INFINITY, -1])).toEqual([
      -1,
      1,
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ]);
    expect(sort(BYTES, [Uint8Array.of(200), Uint8Array.of(100, 1), Uint8Array.of(100)])).toEqual([
      Uint8Array.of(100),
      Uint8Array.of(100, 1),
      Uint8Array.of(200),
    ]);
    expect(sort(arrayOf(INT), [[2], [1, 5], [1], [1, null]])).toEqual([[1], [1, 5], [1, null], [2]]);
  });

  it('equality looks at values: -0 is 0, the order of map entries does not count', () => {
    expect(equality(DOUBLE)(-0, 0)).toBe(true);
    expect(valueKey(DOUBLE)(-0)).toBe(valueKey(DOUBLE)(0));
    const type = mapOf(STRING, INT);
    const one = new Map([
      ['a', 1],
      ['b', 2],
    ]);
    const other = new Map([
      ['b', 2],
      ['a', 1],
    ]);
    expect(equality(type)(one, other)).toBe(true);
    expect(valueKey(type)(one)).toBe(valueKey(type)(other));
  });

  it('rows with shifted texts have different keys', () => {
    const key = rowKey([STRING, STRING]);
    expect(key(['a', '1:b'])).not.toBe(key(['a1:', 'b']));
    expect(key(['~', null])).not.toBe(key([null, '~']));
    expect(key([null, null])).toBe(key([null, null]));
  });
});

describe('JSON', () => {
  const json = (type: SqlType, value: Value | null, numbers: 'string' | 'json' = 'string') =>
    valueToJson(type, value, { numbers });

  it('writes money and big numbers exactly, as strings or as numbers with all their digits', () => {
    expect(json(decimal(10, 2), 1250n)).toBe('"12.50"');
    expect(json(decimal(10, 2), -5n, 'json')).toBe('-0.05');
    expect(json(BIGINT, 9007199254740993n)).toBe('"9007199254740993"');
    expect(json(BIGINT, 9007199254740993n, 'json')).toBe('9007199254740993');
  });

  it('writes times in ISO form and bytes in base64', () => {
    expect(json(DATE, 20_781)).toBe('"2026-11-24"');
    expect(json(TIME, 47_100_250)).toBe('"13:05:00.250"');
    expect(json(TIMESTAMP, 1_795_525_500_000)).toBe('"2026-11-24T13:05:00.000Z"');
    expect(json(BYTES, Uint8Array.of(1, 2, 255))).toBe('"AQL/"');
  });

  it('writes structured values, NULL, and doubles that JSON lacks', () => {
    const type = structOf([
      { name: 'a "quoted"', type: arrayOf(DOUBLE) },
      { name: 'M', type: mapOf(INT, BOOLEAN) },
    ]);
    expect(json(type, [[1.5, null, Number.NaN, Number.NEGATIVE_INFINITY], new Map([[7, true]])])).toBe(
      '{"a \\"quoted\\"":[1.5,null,"NaN","-Infinity"],"M":{"7":true}}',
    );
    expect(json(type, null)).toBe('null');
  });

  it('is always valid JSON', () => {
    fc.assert(
      fc.property(typeWithValues(1), fc.constantFrom('string', 'json'), ([type, value], numbers) => {
        JSON.parse(valueToJson(type, value ?? null, { numbers: numbers as 'string' | 'json' }));
      }),
    );
  });
});
