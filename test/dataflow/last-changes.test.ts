import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lastChanges } from '../../src/dataflow/last-changes.ts';
import { RowChangeWriter, readRowChanges } from '../../src/view-store/row-changes.ts';

test('the last change of each key is kept, and they leave the rows that all changes leave', () => {
  const bytes = fc.uint8Array({ maxLength: 3 });
  const change = fc.tuple(bytes, fc.option(fc.uint8Array({ maxLength: 9 })), fc.integer({ min: 0, max: 99 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), changes => {
      const writer = new RowChangeWriter();
      for (const [key, value, seq] of changes) writer.add(key, value, seq);
      const all = writer.take();
      const kept = lastChanges(all);
      expect(rowsAfter(kept)).toEqual(rowsAfter(all));
      expect([...readRowChanges(kept)]).toHaveLength(new Set(changes.map(([key]) => String(key))).size);
    }),
  );
});

/** What a file holds after the changes: per key its row or the news that it is gone, with the sequence. */
function rowsAfter(changes: Uint8Array): Map<string, string> {
  const rows = new Map<string, string>();
  for (const { key, value, seq } of readRowChanges(changes))
    rows.set(String(key), `${value ?? 'none'} at ${seq}`);
  return rows;
}
