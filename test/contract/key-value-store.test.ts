import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { openStateStore } from '../../src/kv/checksummed-store.ts';
import type { KeyValueStore } from '../../src/kv/key-value-store.ts';
import { openLmdbStore } from '../../src/kv/lmdb-store.ts';
import { createMemoryStore } from '../../src/kv/memory-store.ts';
import { keyValueStoreContract } from './key-value-store.contract.ts';

const folders = new Map<KeyValueStore, string>();

keyValueStoreContract('memory', { open: createMemoryStore, dispose: store => store.close() });
keyValueStoreContract('LMDB', {
  open() {
    const path = mkdtempSync(join(tmpdir(), 'millrace-kv-'));
    const store = openLmdbStore({ path });
    folders.set(store, path);
    return store;
  },
  async dispose(store) {
    await store.close();
    rmSync(folders.get(store)!, { recursive: true });
    folders.delete(store);
  },
});

keyValueStoreContract('LMDB with checksums', {
  open() {
    const path = mkdtempSync(join(tmpdir(), 'millrace-kv-'));
    const store = openStateStore({ path });
    folders.set(store, path);
    return store;
  },
  async dispose(store) {
    await store.close();
    rmSync(folders.get(store)!, { recursive: true });
    folders.delete(store);
  },
});

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test('LMDB: what was written is there after opening again', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'millrace-kv-')), 'view@1.2.3');
  const first = openLmdbStore({ path });
  first.write(tx => tx.put(utf8('a'), utf8('1')));
  await first.close();
  const second = openLmdbStore({ path });
  expect(second.get(utf8('a'))).toEqual(utf8('1'));
  await second.close();
  rmSync(path, { recursive: true });
});

test('LMDB: a reader sees what another thread committed, as soon as it is told', async () => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-kv-'));
  const reader = openLmdbStore({ path, readOnly: true });
  expect(() => reader.write(() => {})).toThrow();
  const worker = new Worker(new URL('./store-writer.ts', import.meta.url), { workerData: { path } });
  let next = 0;
  await new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => resolve());
    worker.on('message', (n: number) => {
      expect(n).toBe(next++);
      if (reader.get(utf8('n'))?.[0] === undefined) reject(new Error('nothing to see'));
      if ((reader.get(utf8('n'))?.[0] ?? -1) < n) reject(new Error(`stale at ${n}`));
    });
  });
  expect(next).toBe(200);
  await reader.close();
  rmSync(path, { recursive: true });
});
