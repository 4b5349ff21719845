import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import { armFaultPoints, faultPoint } from '../../core/fault-points.ts';
import { BlockStore } from './block-store.ts';
import { openLogDatabase } from './log-environment.ts';
import type { ReadAheadSetup, ReadFrom } from './read-ahead.ts';
import { FULL, RunMemory } from './run-memory.ts';

/** Reads sealed runs of a log into shared memory, and checks them, until they end. */

const port = parentPort;
assert(port !== null, 'the log is read ahead by a worker thread');
armFaultPoints(process.env.MILLRACE_FAULTS_BUILD, () => process.kill(process.pid, 'SIGKILL'));
const { dir, shared } = workerData as ReadAheadSetup;
const store = new BlockStore(openLogDatabase(dir), dir);
const memory = new RunMemory(shared);

port.on('message', ({ from, records }: ReadFrom) => {
  let seq = from;
  for (let runs = 0; ; runs++) {
    const slot = memory.slot(runs);
    memory.waitWhile(slot, FULL, Number.POSITIVE_INFINITY);
    const next = filled(seq, records, slot);
    if (next === null) {
      memory.ended(slot);
      return;
    }
    seq = next;
  }
});
port.postMessage('ready');

/** The sequence after the run that now stands in a slot; null: what comes next is to be read in another way. */
function filled(seq: number, records: number, slot: number): number | null {
  try {
    faultPoint('build.read-ahead');
    store.refresh();
    const run = store.sealedRunInto(seq, seq + records, memory.bytes(slot), of => memory.columns(slot, of));
    if (run === null) return null;
    memory.full(slot, run);
    return run.end;
  } catch {
    // who reads it in the usual way hears what is wrong
    return null;
  } finally {
    // this thread may wait long, and the log must be able to use pages again
    store.release();
  }
}
