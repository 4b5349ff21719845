import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Op } from '../../src/core/change.ts';
import type { Schema } from '../../src/core/schema.ts';
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
} from '../../src/core/sql-type.ts';
import type { Row, Value } from '../../src/core/value.ts';
import { createRecordEncoder } from '../../src/decode/record-encoder.ts';
import { createRowDecoder } from '../../src/decode/row-decoder.ts';
import type { FormatSpec } from '../../src/plan/plan.ts';
import {
  CSV_FORMAT,
  column,
  JSON_FORMAT,
  KAFKA_FORMAT,
  record,
  source,
  UNWRAPPED_JSON,
} from './source-fixture.ts';

interface TypedValue {
  readonly type: SqlType;
  readonly value: Value | null;
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 });

const primitives: readonly (readonly [SqlType, fc.Arbitrary<Value>])[] = [
  [BOOLEAN, fc.boolean()],
  [INT, fc.integer()],
  [BIGINT, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [DOUBLE, fc.double({ noNaN: true, noDefaultInfinity: true })],
  [decimal(38, 9), fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })],
  [decimal(5, 0), fc.bigInt({ min: -99999n, max: 99999n })],
  [STRING, text],
  [BYTES, fc.uint8Array({ maxLength: 12 })],
  [DATE, fc.integer({ min: -100000, max: 100000 })],
  [TIME, fc.integer({ min: 0, max: 86399999 })],
  [TIMESTAMP, fc.integer({ min: 0, max: 4102444800000 })],
];

const primitive: fc.Arbitrary<TypedValue> = fc
  .constantFrom(...primitives)
  .chain(([type, values]) => fc.option(values, { freq: 10 }).map(value => ({ type, value })));

/** A few values of one type. */
function several(
  depth: number,
): fc.Arbitrary<{ readonly type: SqlType; readonly values: readonly (Value | null)[] }> {
  const flat = fc
    .constantFrom(...primitives)
    .chain(([type, values]) =>
      fc.array(fc.option(values, { freq: 10 }), { maxLength: 4 }).map(v => ({ type, values: v })),
    );
  if (depth === 0) return flat;
  const nested = several(depth - 1);
  return fc.oneof(
    flat,
    nested.map(({ type, values }) => ({ type: arrayOf(type), values: [values, null, []] })),
    nested.map(({ type, values }) => ({
      type: mapOf(STRING, type),
      values: [new Map(values.map((v, i) => [`k${i}`, v])), null],
    })),
    fc.array(nested, { minLength: 1, maxLength: 3 }).map(fields => ({
      type: structOf(fields.map((f, i) => ({ name: `F${i}`, type: f.type }))),
      values: [fields.map(f => f.values[0] ?? null), null],
    })),
  );
}

const anyValue: fc.Arbitrary<TypedValue> = several(3).map(({ type, values }) => ({
  type,
  value: values[0] ?? null,
}));

/** Encodes a row with its first `keys` columns as the key, and decodes it again. */
function roundTrip(
  cells: readonly TypedValue[],
  keys: number,
  key: FormatSpec,
  value: FormatSpec,
): Row | string {
  const columns = cells.map((cell, i) => column(`C${i}`, cell.type, i < keys ? 'key' : 'value'));
  const schema: Schema = { columns, key: [...columns.keys()].slice(0, keys), windowed: false };
  const formats = { keyFormat: key, valueFormat: value };
  const encode = createRecordEncoder({ topic: 's', partitions: 1, timestamp: null, ...formats }, schema);
  const row = cells.map(cell => cell.value);
  const encoded = encode({ op: Op.ADD, seq: 0, rowtime: 7, row, noValue: false });
  const decode = createRowDecoder({
    source: source({ columns, ...formats }),
    schema,
    timestampParser: () => () => null,
  });
  const decoded = decode(record(encoded.value, { key: encoded.key, timestamp: encoded.timestamp }));
  return decoded.ok ? decoded.row : decoded.message;
}

describe('what is written is read again', () => {
  it('JSON, any type, in key and value', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { minLength: 1, maxLength: 4 }), fc.nat({ max: 4 }), (cells, keys) => {
        const row = roundTrip(cells, Math.min(keys, cells.length), JSON_FORMAT, JSON_FORMAT);
        expect(row).toEqual(cells.map(cell => cell.value));
      }),
    );
  });

  it('JSON without an object around a single column', () => {
    fc.assert(
      fc.property(anyValue, cell => {
        expect(roundTrip([cell], 0, KAFKA_FORMAT, UNWRAPPED_JSON)).toEqual([cell.value]);
      }),
    );
  });

  it('DELIMITED, but an empty text comes back as NULL', () => {
    fc.assert(
      fc.property(
        fc.array(primitive, { minLength: 2, maxLength: 5 }),
        fc.constantFrom(',', ';', '|', '\t'),
        (cells, delimiter) => {
          const row = roundTrip(cells, 1, CSV_FORMAT, { ...CSV_FORMAT, delimiter });
          expect(row).toEqual(cells.map(({ value }) => (isEmpty(value) ? null : value)));
        },
      ),
    );
  });

  it('KAFKA primitives', () => {
    const kafka = fc
      .constantFrom(
        ...primitives.filter(([type]) => ['INT', 'BIGINT', 'DOUBLE', 'STRING', 'BYTES'].includes(type.kind)),
      )
      .chain(([type, values]) => values.map(value => ({ type, value })));
    fc.assert(
      fc.property(kafka, kafka, (key, value) => {
        expect(roundTrip([key, value], 1, KAFKA_FORMAT, KAFKA_FORMAT)).toEqual([key.value, value.value]);
      }),
    );
  });
});

function isEmpty(value: Value | null): boolean {
  return value === '' || (value instanceof Uint8Array && value.length === 0);
}
