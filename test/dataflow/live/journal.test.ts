import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLmdbStore } from '../../../src/kv/lmdb-store.ts';
import { Journal } from '../../../src/state/journal.ts';

interface Catalog {
  readonly live: readonly string[];
}

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

test('a journal gives back what was committed last: catalog, state, position and changes not yet folded', () => {
  const kv = store();
  const journal = new Journal<Catalog>(kv, 'log1');
  expect(journal.recover(100)).toBeNull();
  journal.commit({ live: ['a'] }, { position: 5, snapshot: bytes(1), changes: new Map([['a', [bytes(9)]]]) });
  journal.folded();
  const changes = new Map([
    ['a', [bytes(1), bytes(2)]],
    ['b', [bytes(3)]],
  ]);
  journal.commit({ live: ['a', 'b'] }, { position: 8, snapshot: bytes(4, 5), changes });
  const recovered = new Journal<Catalog>(kv, 'log1').recover(8);
  expect(recovered).toMatchObject({ catalog: { live: ['a', 'b'] }, position: 8 });
  expect([...(recovered?.snapshot ?? [])]).toEqual([4, 5]);
  expect([...(recovered?.unfolded.get('a') ?? [])].map(b => [...b])).toEqual([[1], [2]]);
  expect([...(recovered?.unfolded.get('b') ?? [])].map(b => [...b])).toEqual([[3]]);
  journal.folded();
  expect(new Journal<Catalog>(kv, 'log1').recover(8)?.unfolded.size).toBe(0);
});

test('a state of many megabytes comes back whole, and a smaller one after it leaves nothing of it', () => {
  const kv = store();
  const journal = new Journal<Catalog>(kv, 'log1');
  const large = Uint8Array.from({ length: 9 * 1024 * 1024 }, (_, i) => i % 251);
  journal.commit({ live: [] }, { position: 1, snapshot: large, changes: new Map() });
  expect(Buffer.compare(journal.recover(1)?.snapshot ?? bytes(), large)).toBe(0);
  journal.commit({ live: [] }, { position: 2, snapshot: bytes(7), changes: new Map() });
  expect([...journal.committed().snapshot]).toEqual([7]);
});

test('a journal of another log is refused', () => {
  const kv = store();
  new Journal<Catalog>(kv, 'log1').commit(
    { live: [] },
    { position: 1, snapshot: bytes(), changes: new Map() },
  );
  expect(() => new Journal<Catalog>(kv, 'log2').recover(10)).toThrow(
    expect.objectContaining({ code: 'data_corrupt', message: expect.stringContaining('log1') }),
  );
});

test('a journal ahead of the log is refused: the log has lost records', () => {
  const kv = store();
  const journal = new Journal<Catalog>(kv, 'log1');
  journal.commit({ live: [] }, { position: 11, snapshot: bytes(), changes: new Map() });
  expect(() => journal.recover(10)).toThrow(expect.objectContaining({ code: 'data_corrupt' }));
  expect(journal.recover(11)?.position).toBe(11);
});
