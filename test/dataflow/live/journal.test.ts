import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLmdbStore } from '../../../src/kv/lmdb-store.ts';
import { type Checkpoint, Journal } from '../../../src/state/journal.ts';

interface Catalog {
  readonly live: readonly string[];
}

type Notes = readonly string[];

function store() {
  const path = mkdtempSync(join(tmpdir(), 'millrace-journal-'));
  const opened = openLmdbStore({ path });
  onTestFinished(async () => {
    await opened.close();
    rmSync(path, { recursive: true });
  });
  return opened;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function checkpoint(
  position: number,
  states: Readonly<Record<string, readonly [bytes: Uint8Array | null, neededFrom: number]>> = {},
  changes: Readonly<Record<string, readonly Uint8Array[]>> = {},
): Checkpoint<Notes> {
  return {
    position,
    states: new Map(
      Object.entries(states).map(([version, [state, neededFrom]]) => [
        version,
        { bytes: state === null ? null : () => state, neededFrom },
      ]),
    ),
    changes: new Map(Object.entries(changes)),
    notes: [`at ${position}`],
  };
}

function stateOf(states: ReadonlyMap<string, readonly Uint8Array[]> | undefined): unknown {
  return Object.fromEntries([...(states ?? [])].map(([version, list]) => [version, list.map(b => [...b])]));
}

test('a journal gives back what was committed: catalog, notes, state, position and changes not yet folded', async () => {
  const kv = store();
  const journal = new Journal<Catalog, Notes>(kv, 'log1');
  expect(journal.recover(100)).toBeNull();
  await journal.commit({ live: ['a'] }, checkpoint(5, { a: [bytes(1), 2] }, { a: [bytes(9)] }));
  await journal.folded();
  const changes = { a: [bytes(1), bytes(2)], b: [bytes(3)] };
  const states = { a: [bytes(4), 2], b: [bytes(5, 6), 4] } as const;
  await journal.commit({ live: ['a', 'b'] }, checkpoint(8, states, changes));
  const again = new Journal<Catalog, Notes>(kv, 'log1');
  const recovered = again.recover(8);
  expect(recovered).toMatchObject({ catalog: { live: ['a', 'b'] }, position: 8, notes: ['at 8'] });
  expect(stateOf(recovered?.states)).toEqual({ a: [[1], [4]], b: [[5, 6]] });
  expect(recovered?.neededFrom).toEqual(
    new Map([
      ['a', 2],
      ['b', 4],
    ]),
  );
  expect(stateOf(recovered?.unfolded)).toEqual({ a: [[1], [2]], b: [[3]] });
  await again.folded();
  expect(new Journal<Catalog, Notes>(kv, 'log1').recover(8)?.unfolded.size).toBe(0);
});

test('changes of state stay as long as they are needed, those of a version that has gone do not', async () => {
  const kv = store();
  const journal = new Journal<Catalog, Notes>(kv, 'log1');
  const catalog = { live: ['a', 'b'] };
  await journal.commit(catalog, checkpoint(1, { a: [bytes(1), 2], b: [bytes(1), 2] }));
  await journal.commit(catalog, checkpoint(2, { a: [bytes(2), 2], b: [null, 2] }));
  expect(stateOf(journal.committed().states)).toEqual({ a: [[1], [2]], b: [[1]] });
  const again = new Journal<Catalog, Notes>(kv, 'log1');
  again.recover(2);
  await again.commit(catalog, checkpoint(3, { a: [bytes(3), 4], b: [bytes(3), 2] }));
  expect(stateOf(again.committed().states)).toEqual({ a: [[2], [3]], b: [[1], [3]] });
  await again.commit({ live: ['a'] }, checkpoint(4, { a: [bytes(4), 8] }));
  expect(stateOf(again.committed().states)).toEqual({ a: [[4]] });
  expect([...kv.range({})].filter(e => e.key[0] === '3'.charCodeAt(0))).toHaveLength(1);
});

test('state that was there before its changes is committed with them, under the number before', async () => {
  const kv = store();
  const journal = new Journal<Catalog, Notes>(kv, 'log1');
  const first = journal.next - 1;
  const firsts = new Map([['a', bytes(1)]]);
  await journal.commit({ live: ['a'] }, { ...checkpoint(1, { a: [bytes(2), first] }), firsts });
  expect(stateOf(journal.committed().states)).toEqual({ a: [[1], [2]] });
  await journal.commit({ live: ['a'] }, checkpoint(2, { a: [bytes(3), first + 1] }));
  expect(stateOf(journal.committed().states)).toEqual({ a: [[2], [3]] });
});

test('a state of many megabytes comes back whole, and a smaller one after it leaves nothing of it', async () => {
  const kv = store();
  const journal = new Journal<Catalog, Notes>(kv, 'log1');
  const large = Uint8Array.from({ length: 9 * 1024 * 1024 }, (_, i) => i % 251);
  await journal.commit({ live: [] }, checkpoint(1, { a: [large, 2] }));
  expect(Buffer.compare(journal.recover(1)?.states.get('a')?.[0] ?? bytes(), large)).toBe(0);
  await journal.commit({ live: [] }, checkpoint(2, { a: [bytes(7), 4] }));
  expect(stateOf(journal.committed().states)).toEqual({ a: [[7]] });
});

test('a state of which a part is missing is refused', async () => {
  const kv = store();
  const journal = new Journal<Catalog, Notes>(kv, 'log1');
  await journal.commit({ live: [] }, checkpoint(1, { a: [bytes(1), 2] }));
  await journal.commit({ live: [] }, checkpoint(2, { a: [bytes(2), 2] }));
  const first = [...kv.range({})].find(e => Buffer.from(e.key).toString().includes('/000000000002/'));
  kv.write(tx => tx.delete(first?.key as Uint8Array));
  expect(() => new Journal<Catalog, Notes>(kv, 'log1').recover(2)).toThrow(
    expect.objectContaining({ code: 'state_damaged' }),
  );
});

test('a journal of another log is refused', async () => {
  const kv = store();
  await new Journal<Catalog, Notes>(kv, 'log1').commit({ live: [] }, checkpoint(1));
  expect(() => new Journal<Catalog, Notes>(kv, 'log2').recover(10)).toThrow(
    expect.objectContaining({ code: 'data_corrupt', message: expect.stringContaining('log1') }),
  );
});

test('a journal ahead of the log is refused: the log has lost records', async () => {
  const kv = store();
  const journal = new Journal<Catalog, Notes>(kv, 'log1');
  await journal.commit({ live: [] }, checkpoint(11));
  expect(() => journal.recover(10)).toThrow(expect.objectContaining({ code: 'data_corrupt' }));
  expect(journal.recover(11)?.position).toBe(11);
});
