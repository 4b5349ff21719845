import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyDictionary } from '../../src/core/key-dictionary.ts';

/** Texts side by side in one buffer, behind some bytes of something else. */
function texts(all: readonly string[]): { view: DataView; at: readonly (readonly [number, number])[] } {
  const bytes = Buffer.from(`?${all.join('')}`);
  const at: [number, number][] = [];
  let start = 1;
  for (const text of all) {
    const end = start + Buffer.byteLength(text);
    at.push([start, end]);
    start = end;
  }
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at };
}

function numbered(dictionary: KeyDictionary, all: readonly string[]): number[] {
  expect(dictionary.begin(all.length)).toBe(true);
  const { view, at } = texts(all);
  return at.map(([start, end]) => dictionary.idOf(view, start, end));
}

test('equal texts have equal numbers, different ones different numbers, over any batches', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.string({ minLength: 22, maxLength: 27 }),
    fc.constantFrom(
      '',
      'a',
      'aa',
      '\u0000',
      'a\u0000',
      '4000000000000001',
      `${'x'.repeat(40)}1`,
      `${'x'.repeat(40)}2`,
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.array(text, { maxLength: 60 }), { maxLength: 6 }), batches => {
      const dictionary = new KeyDictionary();
      const known = new Map<string, number>();
      for (const batch of batches) {
        for (const [i, id] of numbered(dictionary, batch).entries()) {
          const same = Buffer.from(batch[i] as string).toString('hex');
          expect(id).toBe(known.get(same) ?? known.size + 1);
          known.set(same, id);
        }
      }
      expect(dictionary.size).toBe(known.size);
    }),
  );
});

test('a dictionary that is full begins anew when its texts come again, and ends when they do not', () => {
  const many = (part: number): string[] =>
    Array.from({ length: 40_000 }, (_, i) => `key ${part * 40_000 + i}`);
  const useful = new KeyDictionary();
  const { generation } = useful;
  for (let round = 0; round < 6; round++) for (const part of [0, 1]) numbered(useful, many(part));
  numbered(useful, many(2));
  expect([useful.generation, useful.size]).toEqual([generation, 120_000]);
  expect(numbered(useful, many(2))[0]).toBe(1);
  expect([useful.generation === generation, useful.size]).toEqual([false, 40_000]);

  const useless = new KeyDictionary();
  for (const part of [0, 1, 2]) numbered(useless, many(part));
  expect(useless.begin(40_000)).toBe(false);
  expect(useless.begin(1)).toBe(false);
});
