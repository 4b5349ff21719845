import fc from 'fast-check';
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
import type { Value } from '../../src/core/value.ts';

/** Random types and values of them, for properties. */

const scalarType: fc.Arbitrary<SqlType> = fc.oneof(
  fc.constantFrom(BOOLEAN, INT, BIGINT, DOUBLE, STRING, BYTES, DATE, TIME, TIMESTAMP),
  fc.integer({ min: 1, max: 38 }).chain(p => fc.integer({ min: 0, max: p }).map(s => decimal(p, s))),
);

export const anyType: fc.Arbitrary<SqlType> = fc.letrec<{ type: SqlType }>(tie => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalarType,
    tie('type').map(arrayOf),
    tie('type').map(t => mapOf(STRING, t)),
    fc
      .uniqueArray(fc.record({ name: fc.constantFrom('A', 'B', 'c', 'D e'), type: tie('type') }), {
        selector: f => f.name,
        minLength: 1,
        maxLength: 3,
      })
      .map(structOf),
  ),
})).type;

/** `nulls: false` gives the value itself never NULL; inside of structured values NULLs stay. */
export function valuesOf(type: SqlType, nulls = true): fc.Arbitrary<Value | null> {
  const present = presentValue(type) as fc.Arbitrary<Value | null>;
  return nulls
    ? fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 6, arbitrary: present })
    : present;
}

function presentValue(type: SqlType): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'BOOLEAN':
      return fc.boolean();
    case 'INT':
      return fc.integer();
    case 'BIGINT':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'DOUBLE':
      return fc.double();
    case 'DECIMAL': {
      const limit = 10n ** BigInt(type.precision) - 1n;
      return fc.bigInt({ min: -limit, max: limit });
    }
    case 'STRING':
      return fc.string({ unit: 'binary', maxLength: 12 });
    case 'BYTES':
      return fc.uint8Array({ maxLength: 12 });
    case 'DATE':
      return fc.integer({ min: -700_000, max: 2_900_000 });
    case 'TIME':
      return fc.integer({ min: 0, max: 86_399_999 });
    case 'TIMESTAMP':
      return fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
    case 'ARRAY':
      return fc.array(valuesOf(type.element), { maxLength: 4 });
    case 'MAP':
      return fc
        .array(fc.tuple(presentValue(type.key), valuesOf(type.value)), { maxLength: 4 })
        .map(entries => new Map(entries));
    case 'STRUCT':
      return fc.tuple(...type.fields.map(f => valuesOf(f.type)));
  }
}

/** A type with several values of it. */
export function typeWithValues(count: number, nulls = true): fc.Arbitrary<[SqlType, ...(Value | null)[]]> {
  return anyType.chain(type =>
    fc.tuple(fc.constant(type), ...Array.from({ length: count }, () => valuesOf(type, nulls))),
  ) as fc.Arbitrary<[SqlType, ...(Value | null)[]]>;
}
