import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../core/assert.ts';
import { type Failure, failureOf, type WorkerSetup } from './live/protocol.ts';
import { MissedChanges, type MissedEpoch, type MissedOrder } from './missed-changes.ts';
import { openWorkerEnvironment } from './worker-environment.ts';

/** A thread that computes missed changes once, an epoch per request, and ends. */

export interface MissedWorkerData {
  readonly setup: WorkerSetup;
  readonly order: MissedOrder;
}

export type ToMissed = 'next' | 'stop';

export type FromMissed =
  | { readonly type: 'epoch'; readonly epoch: MissedEpoch }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly failure: Failure };

/** ms of work before messages are looked at */
const SLICE = 20;

const port = parentPort;
assert(port !== null, 'missed changes are computed in a worker thread');
const { setup, order } = workerData as MissedWorkerData;
const environment = await openWorkerEnvironment(setup);
let missed: MissedChanges | null = null;
let stopped = false;

function pump(): void {
  if (stopped) return;
  const answer = slice();
  if (answer === null) setImmediate(pump);
  else port?.postMessage(answer);
}

/** Null: nothing to tell yet. */
function slice(): FromMissed | null {
  try {
    missed ??= new MissedChanges(environment, order);
    for (const until = performance.now() + SLICE; performance.now() < until; ) {
      const step = missed.advance();
      if (step === 'done') return { type: 'done' };
      if (step !== null) return { type: 'epoch', epoch: step };
    }
    return null;
  } catch (error) {
    return { type: 'failed', failure: failureOf(error) };
  }
}

port.on('message', (message: ToMissed) => {
  if (message === 'next') pump();
  else {
    stopped = true;
    void environment.log.close().then(() => port.close());
  }
});
