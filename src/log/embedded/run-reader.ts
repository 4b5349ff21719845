import type { MessagePort } from 'node:worker_threads';
import { armFaultPoints, faultPoint } from '../../core/fault-points.ts';
import type { RecordBlock } from '../../core/log-record.ts';
import { BlockStore } from './block-store.ts';
import { openLogDatabase } from './log-environment.ts';
import type { ReadAheadSetup, ReadFrom } from './read-ahead.ts';
import { FULL, RunMemory } from './run-memory.ts';

/** Shared memory behind a run, [at, end). */
export interface BesideRun {
  readonly buffer: SharedArrayBuffer;
  readonly at: number;
  readonly end: number;
}

/** Puts something beside a run for the thread that takes it; false: nothing. */
export type Beside = (run: RecordBlock, room: BesideRun) => boolean;

/** Reads sealed runs of a log into shared memory, and checks them, until they end: the work of a thread. */
export function readRuns(
  port: MessagePort,
  { dir, shared }: Pick<ReadAheadSetup, 'dir' | 'shared'>,
  beside: Beside = () => false,
): void {
  armFaultPoints(process.env.MILLRACE_FAULTS_BUILD, () => process.kill(process.pid, 'SIGKILL'));
  const store = new BlockStore(openLogDatabase(dir), dir);
  const memory = new RunMemory(shared);

  /** The sequence after the run that now stands in a slot; null: what comes next is to be read in another way. */
  const filled = (seq: number, records: number, slot: number): number | null => {
    try {
      faultPoint('build.read-ahead');
      store.refresh();
      const run = store.sealedRunInto(seq, seq + records, memory.bytes(slot), of => memory.columns(slot, of));
      if (run === null) return null;
      memory.describe(slot, run);
      const room = memory.roomBeside(slot);
      if (beside(memory.block(slot, store.topicNames), room)) memory.describe(slot, run, room.at);
      memory.full(slot);
      return run.end;
    } catch {
      // who reads it in the usual way hears what is wrong
      return null;
    } finally {
      // this thread may wait long, and the log must be able to use pages again
      store.release();
    }
  };

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
}
