import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as t from '../../src/core/sql-type.ts';
import type { Value } from '../../src/core/value.ts';
import { decodeKey, encodeKey, keyAfterPrefix } from '../../src/kv/key-codec.ts';
import { compareBytes } from '../../src/kv/sorted-map.ts';

type Sql = Value | null;
interface Sample {
  readonly type: t.SqlType;
  readonly values: fc.Arbitrary<Sql>;
}

const integers = fc.oneof(fc.integer(), fc.integer({ min: -3, max: 3 }));
const doubles = fc.oneof(fc.double(), fc.integer({ min: -2, max: 2 }), fc.constantFrom(-0, 0, Number.NaN));
const bigints = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }),
  fc.bigInt({ min: -300n, max: 300n }),
);
const strings = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom('\u0000', '\u0001', 'a'), maxLength: 4 }),
);
const byteStrings = fc.uint8Array({ maxLength: 6 }).map(b => new Uint8Array(b));

const primitive: Sample[] = [
  { type: t.BOOLEAN, values: fc.boolean() },
  { type: t.INT, values: integers },
  { type: t.DATE, values: integers },
  { type: t.DOUBLE, values: doubles },
  { type: t.TIMESTAMP, values: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }) },
  { type: t.BIGINT, values: bigints },
  { type: t.decimal(38, 2), values: bigints },
  { type: t.STRING, values: strings },
  { type: t.BYTES, values: byteStrings },
];
const nullable = (values: fc.Arbitrary<Sql>): fc.Arbitrary<Sql> =>
  fc.oneof({ weight: 6, arbitrary: values }, fc.constant(null));
const nested: Sample[] = primitive.flatMap(({ type, values }) => [
  { type: t.arrayOf(type), values: fc.array(nullable(values), { maxLength: 4 }) },
  {
    type: t.structOf([
      { name: 'a', type },
      { name: 'b', type: t.STRING },
    ]),
    values: fc.tuple(nullable(values), nullable(strings)),
  },
]);
const samples = [...primitive, ...nested];

/** The order that the codec promises, computed on values: NULL last, NaN greatest, items one by one. */
function compare(a: Sql, b: Sql): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === 'string') return Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b as string)));
  if (a instanceof Uint8Array) return Math.sign(compareBytes(a, b as Uint8Array));
  if (Array.isArray(a)) {
    const other = b as readonly Sql[];
    for (let i = 0; i < Math.min(a.length, other.length); i++) {
      const order = compare(a[i] as Sql, other[i] as Sql);
      if (order !== 0) return order;
    }
    return Math.sign(a.length - other.length);
  }
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** -0 is 0 to a key. */
const zeroless = (value: Sql): Sql =>
  Array.isArray(value) ? value.map(zeroless) : typeof value === 'number' ? value + 0 : value;

describe('key codec', () => {
  test.each(samples.map(s => [t.typeText(s.type), s] as const))(
    '%s: bytes order as values',
    (_, { type, values }) => {
      fc.assert(
        fc.property(nullable(values), nullable(values), (a, b) => {
          const order = compareBytes(encodeKey([a], [type]), encodeKey([b], [type]));
          expect(Math.sign(order)).toBe(compare(a, b));
          const down = compareBytes(encodeKey([a], [type], [true]), encodeKey([b], [type], [true]));
          expect(Math.sign(down)).toBe(0 - compare(a, b) || 0);
        }),
      );
    },
  );

  test.each(samples.map(s => [t.typeText(s.type), s] as const))('%s: reads back', (_, { type, values }) => {
    fc.assert(
      fc.property(nullable(values), fc.boolean(), (value, down) => {
        expect(decodeKey(encodeKey([value], [type], [down]), [type], [down])).toEqual([zeroless(value)]);
      }),
    );
  });

  test('several columns order by the first, then the next, each in its direction', () => {
    const pair = fc.constantFrom(...samples).chain(first =>
      fc.constantFrom(...samples).chain(second =>
        fc.record({
          types: fc.constant([first.type, second.type]),
          down: fc.tuple(fc.boolean(), fc.boolean()),
          a: fc.tuple(nullable(first.values), nullable(second.values)),
          b: fc.tuple(nullable(first.values), nullable(second.values)),
        }),
      ),
    );
    fc.assert(
      fc.property(pair, ({ types, down, a, b }) => {
        const each = [0, 1].map(i => compare(a[i] as Sql, b[i] as Sql) * (down[i] ? -1 : 1));
        const order = compareBytes(encodeKey(a, types, down), encodeKey(b, types, down));
        expect(Math.sign(order)).toBe((each[0] || each[1] || 0) + 0);
        expect(decodeKey(encodeKey(a, types, down), types, down)).toEqual(a.map(zeroless));
      }),
      { numRuns: 500 },
    );
  });

  test('the key of the first columns is a prefix, and a range over it holds exactly the keys that begin with it', () => {
    const types = [t.STRING, t.INT];
    fc.assert(
      fc.property(strings, strings, integers, (a, b, n) => {
        const prefix = encodeKey([a], types.slice(0, 1));
        const key = encodeKey([b, n], types);
        const inside = compareBytes(key, prefix) >= 0 && compareBytes(key, keyAfterPrefix(prefix)!) < 0;
        expect(inside).toBe(a === b);
      }),
    );
  });

  test('a map is a key without regard to its order', () => {
    const type = t.mapOf(t.STRING, t.INT);
    const one = new Map([
      ['a', 1],
      ['b', 2],
    ]);
    const other = new Map([
      ['b', 2],
      ['a', 1],
    ]);
    expect(encodeKey([one], [type])).toEqual(encodeKey([other], [type]));
    expect(decodeKey(encodeKey([other], [type]), [type])).toEqual([one]);
    expect(encodeKey([one], [type])).not.toEqual(encodeKey([new Map([['a', 1]])], [type]));
  });

  test('nothing follows a prefix of ff', () => {
    expect(keyAfterPrefix(Uint8Array.of(1, 255))).toEqual(Uint8Array.of(2));
    expect(keyAfterPrefix(Uint8Array.of(255, 255))).toBeUndefined();
  });
});
