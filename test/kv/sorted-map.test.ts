import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, SortedMap } from '../../src/kv/sorted-map.ts';

const bytes = fc.uint8Array({ minLength: 0, maxLength: 3 });
const operation = fc.oneof(
  fc.record({ op: fc.constant('set' as const), key: bytes, value: fc.integer() }),
  fc.record({ op: fc.constant('delete' as const), key: bytes }),
);

describe('SortedMap', () => {
  it('holds what a plain list sorted by key holds, in both directions and for any range', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 900, minLength: 300 }),
        fc.option(bytes, { nil: undefined }),
        fc.option(bytes, { nil: undefined }),
        (operations, start, end) => {
          const map = new SortedMap<number>();
          const model = new Map<string, { key: Uint8Array; value: number }>();
          for (const o of operations) {
            if (o.op === 'set') {
              map.set(o.key, o.value);
              model.set(o.key.join(), { key: o.key, value: o.value });
            } else {
              expect(map.delete(o.key)).toBe(model.delete(o.key.join()));
            }
          }
          const expected = [...model.values()]
            .sort((a, b) => compareBytes(a.key, b.key))
            .filter(e => start === undefined || compareBytes(e.key, start) >= 0)
            .filter(e => end === undefined || compareBytes(e.key, end) < 0);
          const plain = (entries: Iterable<{ key: Uint8Array; value: number }>) =>
            [...entries].map(e => [[...e.key], e.value]);
          expect(map.size).toBe(model.size);
          expect(plain(map.range({ start, end }))).toEqual(plain(expected));
          expect(plain(map.range({ start, end, reverse: true }))).toEqual(plain(expected.reverse()));
          for (const e of model.values()) expect(map.get(e.key)).toBe(e.value);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('forgets what a condition names', () => {
    const map = new SortedMap<number>();
    for (let i = 0; i < 1000; i++) map.set(Uint8Array.of(i >> 8, i & 255), i);
    map.deleteWhere(v => v % 3 !== 0);
    expect(map.size).toBe(334);
    expect([...map.range()].every(e => e.value % 3 === 0)).toBe(true);
  });
});
