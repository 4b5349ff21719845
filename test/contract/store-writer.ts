import { parentPort, workerData } from 'node:worker_threads';
import { openLmdbStore } from '../../src/kv/lmdb-store.ts';

/** Writes 200 numbers and tells each one after its commit. */
const store = openLmdbStore({ path: (workerData as { path: string }).path });
for (let n = 0; n < 200; n++) {
  store.write(tx => tx.put(new TextEncoder().encode('n'), Uint8Array.of(n)));
  parentPort?.postMessage(n);
}
await store.close();
