import { describe, expect, it } from 'vitest';
import { type Change, Op } from '../../src/core/change.ts';
import type { Schema } from '../../src/core/schema.ts';
import {
  arrayOf,
  BIGINT,
  BYTES,
  DOUBLE,
  decimal,
  INT,
  mapOf,
  type SqlType,
  STRING,
  structOf,
} from '../../src/core/sql-type.ts';
import type { Value } from '../../src/core/value.ts';
import { createRecordEncoder } from '../../src/decode/record-encoder.ts';
import type { FormatSpec, SinkSpec } from '../../src/plan/plan.ts';
import { CSV_FORMAT, JSON_FORMAT, KAFKA_FORMAT, UNWRAPPED_JSON } from './source-fixture.ts';

function change(row: readonly (Value | null)[], over: Partial<Change> = {}): Change {
  return { op: Op.ADD, seq: 0, rowtime: 5, row, noValue: false, ...over };
}

function encoderOf(
  types: readonly SqlType[],
  keys: number,
  key: FormatSpec,
  value: FormatSpec,
  windowed = false,
) {
  const columns = types.map((type, i) => ({ name: `C${i}`, type }));
  const schema: Schema = { columns, key: [...Array(keys).keys()], windowed };
  const window = windowed ? ({ type: 'session', size: null } as const) : null;
  const sink: SinkSpec = {
    topic: 'T',
    partitions: 1,
    keyFormat: key,
    valueFormat: value,
    timestamp: null,
    window,
  };
  const encode = createRecordEncoder(sink, schema);
  return (c: Change) => {
    const record = encode(c);
    const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes));
    return { key: text(record.key), value: text(record.value), bytes: record };
  };
}

describe('JSON', () => {
  it.each([
    [BIGINT, 9007199254740993n, '9007199254740993'],
    [decimal(6, 2), -5n, '-0.05'],
    [decimal(30, 0), 10n ** 29n, '100000000000000000000000000000'],
    [DOUBLE, 10, '10.0'],
    [DOUBLE, 1e-7, '1.0E-7'],
    [DOUBLE, 123456789.5, '1.234567895E8'],
    [DOUBLE, Number.NaN, '"NaN"'],
    [STRING, 'a"\n', '"a\\"\\n"'],
    [BYTES, new Uint8Array([0x21]), '"IQ=="'],
    [arrayOf(INT), [1, null], '[1,null]'],
    [mapOf(STRING, INT), new Map([['a', 1]]), '{"a":1}'],
    [
      structOf([
        { name: 'A', type: INT },
        { name: 'b', type: STRING },
      ]),
      [1, null],
      '{"A":1,"b":null}',
    ],
    [INT, null, 'null'],
  ])('%o', (type, value, json) => {
    expect(encoderOf([type], 0, KAFKA_FORMAT, JSON_FORMAT)(change([value])).value).toBe(`{"C0":${json}}`);
  });

  it('one key column stands alone, several in an object; a single NULL key is no key', () => {
    const one = encoderOf([INT, INT], 1, JSON_FORMAT, JSON_FORMAT);
    expect(one(change([1, 2]))).toMatchObject({ key: '1', value: '{"C1":2}' });
    expect(one(change([null, 2]))).toMatchObject({ key: null });
    const two = encoderOf([INT, INT, INT], 2, JSON_FORMAT, UNWRAPPED_JSON);
    expect(two(change([1, null, 2]))).toMatchObject({ key: '{"C0":1,"C1":null}', value: '2' });
  });
});

describe('DELIMITED', () => {
  it.each([
    [[1, 'x'], '1,x'],
    [[null, null], ','],
    [[-1, 'a,b'], '"-1","a,b"'],
    [[1, 'say "hi"'], '1,"say ""hi"""'],
    [[1, ''], '1,'],
    [[1, ' x'], '1," x"'],
  ])('%j', (row, text) => {
    expect(encoderOf([INT, STRING], 0, KAFKA_FORMAT, CSV_FORMAT)(change(row)).value).toBe(text);
  });
});

it('deletions and rows without value are tombstones', () => {
  const encode = encoderOf([STRING, INT], 1, KAFKA_FORMAT, JSON_FORMAT);
  expect(encode(change(['k', null], { op: Op.DELETE }))).toMatchObject({ key: 'k', value: null });
  expect(encode(change(['k', null], { noValue: true }))).toMatchObject({ key: 'k', value: null });
});

it('writes the window behind the key', () => {
  const encode = encoderOf([STRING, BIGINT, BIGINT, INT], 3, KAFKA_FORMAT, JSON_FORMAT, true);
  const { bytes, value } = encode(change(['k', 1n, 2n, 7]));
  expect(value).toBe('{"C3":7}');
  expect([...(bytes.key ?? [])]).toEqual([0x6b, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
});
