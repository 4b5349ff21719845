import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyRange, KeyValueReader } from '../../src/kv/key-value-store.ts';
import { SortedMap } from '../../src/kv/sorted-map.ts';
import { RowChangeWriter, readRowChanges } from '../../src/view-store/row-changes.ts';
import { ServedRows } from '../../src/view-store/served-rows.ts';

const key = (n: number) => Uint8Array.of(n);

/** a view file that folds in memory */
function file() {
  const rows = new SortedMap<Uint8Array>();
  const reader: KeyValueReader = {
    get: k => rows.get(k) ?? null,
    *range(range: KeyRange) {
      yield* rows.range(range);
    },
  };
  const fold = (changes: Uint8Array) => {
    for (const c of readRowChanges(changes)) c.value === null ? rows.delete(c.key) : rows.set(c.key, c.value);
  };
  return { reader, fold };
}

const epoch = fc.array(
  fc.record({ k: fc.integer({ min: 0, max: 20 }), v: fc.option(fc.integer({ min: 0, max: 255 })) }),
);

/** `fold`: how many of the latest epochs are left out when the others go to the file; `read`: somebody looks at the rows */
const step = fc.record({
  changes: epoch,
  fold: fc.option(fc.integer({ min: 0, max: 3 })),
  read: fc.boolean(),
});

describe('ServedRows', () => {
  it('shows the same rows however often the overlay is folded into the file', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), epochs => {
        const { reader, fold } = file();
        const served = new ServedRows(reader, 0);
        const model = new Map<number, number>();
        const unfolded: Uint8Array[] = [];
        epochs.forEach((e, i) => {
          const writer = new RowChangeWriter();
          for (const { k, v } of e.changes) {
            writer.add(key(k), v === null ? null : Uint8Array.of(v), i);
            v === null ? model.delete(k) : model.set(k, v);
          }
          const bytes = writer.take();
          unfolded.push(bytes);
          served.apply(bytes, i + 1);
          if (e.fold !== null) {
            for (const u of unfolded.splice(0, Math.max(0, unfolded.length - e.fold))) fold(u);
            served.folded(i + 1 - unfolded.length);
          }
          if (!e.read && i + 1 < epochs.length) return;
          const expected = [...model].sort((a, b) => a[0] - b[0]);
          const rows = (range: KeyRange) => [...served.scan(range)].map(r => [r.key[0], r.value[0]]);
          expect(rows({})).toEqual(expected);
          expect(rows({ reverse: true })).toEqual([...expected].reverse());
          expect(rows({ start: key(5), end: key(15), limit: 3 })).toEqual(
            expected.filter(([k]) => k >= 5 && k < 15).slice(0, 3),
          );
          for (let k = 0; k <= 20; k++) expect(served.get(key(k))?.[0]).toBe(model.get(k));
          expect(served.position).toBe(i + 1);
        });
      }),
      { numRuns: 500 },
    );
  });
});
