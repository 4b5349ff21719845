import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LastByKey } from '../../src/log/embedded/last-by-key.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('holds the last sequence of every key, 0 too, as a map of the keys would', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.nat()), { maxLength: 300 }), sets => {
      const last = new LastByKey(1e6);
      const model = new Map<string, number>();
      for (const [key, seq] of sets) {
        last.set(bytes(key), seq);
        model.set(key, seq);
      }
      for (const key of [...model.keys(), 'never set'])
        expect(last.get(bytes(key))).toBe(model.get(key) ?? null);
    }),
  );
});

test('grows with its keys, and says when it holds as many as it may', () => {
  const last = new LastByKey(20_000);
  for (let i = 0; i < 20_000; i++) {
    expect(last.full).toBe(false);
    last.set(bytes(`key ${i}`), i);
    last.set(bytes('key 0'), 0);
  }
  expect(last.full).toBe(true);
  for (let i = 0; i < 20_000; i += 7) expect(last.get(bytes(`key ${i}`))).toBe(i);
});
