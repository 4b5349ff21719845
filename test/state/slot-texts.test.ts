import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { STRING } from '../../src/core/sql-type.ts';
import { batchOf, VecBuilder, valueAt } from '../../src/core/vec.ts';
import { GrowingColumn } from '../../src/state/growing-column.ts';

const texts = fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 40 }), fc.string());

/** Lone surrogates become the replacement character, as in every conversion to UTF-8. */
const asUtf8 = (text: string | null) => (text === null ? null : Buffer.from(text).toString());

describe('a column of texts', () => {
  test('holds what a Map holds, whatever is set, replaced and forgotten', () => {
    const step = fc.record({ slot: fc.nat(20), text: fc.option(texts), forget: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), steps => {
        const column = new GrowingColumn('text');
        column.reserve(64);
        const expected = new Map<number, string | null>();
        for (const { slot, text, forget } of steps) {
          if (forget) column.forget(slot);
          else column.set(slot, text);
          expected.set(slot, forget ? null : asUtf8(text));
        }
        for (const [slot, text] of expected) expect(column.get(STRING, slot)).toBe(text);
      }),
    );
  });

  test('gives back the room of texts that are gone', () => {
    const column = new GrowingColumn('text');
    column.reserve(64);
    for (let round = 0; round < 5_000; round++) {
      for (let slot = 0; slot < 20; slot++) column.set(slot, `${round} `.repeat(slot));
    }
    expect(column.get(STRING, 3)).toBe('4999 4999 4999 ');
    expect(column.bytes).toBeLessThan(400_000);
  });

  test('takes rows of batches and gives them to others, with what the state keeps of it', () => {
    fc.assert(
      fc.property(fc.array(fc.option(texts), { minLength: 1 }), values => {
        const batch = batchOf({
          schema: { columns: [{ name: 'a', type: STRING }], key: [], windowed: false },
          rows: values.map(value => [value]),
          seq: values.map((_, i) => i),
          rowtime: values.map(() => 0),
        });
        const [vec] = batch.cols;
        if (vec === undefined) throw new Error('no column');
        const column = new GrowingColumn('text');
        column.reserve(values.length);
        values.forEach((_, i) => {
          column.takeRow(i, vec, STRING, i);
        });
        // out of the state as bytes, and of such a column once more
        const given = new VecBuilder(STRING);
        values.forEach((_, i) => {
          column.pushTo(given, i);
        });
        const again = new VecBuilder(STRING);
        const first = given.build();
        values.forEach((_, i) => {
          again.pushFrom(first, i);
        });
        const second = again.build();
        const places = Int32Array.from(values.keys());
        const restored = new GrowingColumn('text');
        restored.reserve(values.length);
        restored.take(structuredClone(column.section(values.length, null)), places, places);
        values.forEach((value, i) => {
          expect(valueAt(second, STRING, i)).toBe(asUtf8(value));
          expect(restored.get(STRING, i)).toBe(asUtf8(value));
        });
      }),
    );
  });
});
