import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import { openWorkerEnvironment } from '../worker-environment.ts';
import { LiveLoop } from './live-loop.ts';
import type { FromLive, ToLive, WorkerSetup } from './protocol.ts';

/**
 * The live worker: runs all live views over what the log has flushed, publishes each epoch, commits now and then.
 * It never waits for the disk on behalf of readers: only commits do.
 */

/** ms between commits at least; and a commit may take at most this share of the time */
const COMMIT_EVERY = 1_000;
const COMMIT_SHARE = 0.05;
const IDLE_CHECK = 200;
/** ms of epochs before messages are looked at */
const SLICE = 8;
/** how far the serving thread may lag before the worker waits for it */
const MAX_AHEAD = 200_000;

const port = parentPort;
assert(port !== null, 'the live worker runs as a worker thread');
const send = (message: FromLive): void => port.postMessage(message);

const environment = await openWorkerEnvironment(workerData as WorkerSetup);
const { log, positions } = environment;
const loop = LiveLoop.recover({
  ...environment,
  journal: environment.openJournal(),
  publish: epoch => {
    positions.live = epoch.position;
    send({ type: 'epoch', epoch });
  },
  shown: () => positions.shown,
});

let lastCommit = performance.now();
let commitCost = 0;
let scheduled = false;
let stopping = false;
let failed = false;

function commit(): void {
  const before = performance.now();
  loop.commit();
  commitCost = performance.now() - before;
  lastCommit = performance.now();
  send({ type: 'committed', position: loop.position });
  fold();
}

function fold(): void {
  const folded = loop.fold();
  if (folded !== null) send({ type: 'folded', position: folded });
}

function commitIsDue(): boolean {
  const since = performance.now() - lastCommit;
  return loop.behindCommit && since > Math.max(COMMIT_EVERY, commitCost / COMMIT_SHARE);
}

function pump(): void {
  scheduled = false;
  if (stopping) return;
  const until = performance.now() + SLICE;
  let more = true;
  while (more && performance.now() < until && loop.position - positions.shown < MAX_AHEAD)
    more = loop.advance();
  fold();
  if (commitIsDue()) commit();
  if (more) schedule();
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(pump);
}

/** A failure here is a bug or a damaged file: the main thread reports it and starts the worker anew. */
function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    stopping = true;
    failed = true;
    send({
      type: 'failed',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

const timer = setInterval(
  () =>
    guarded(() => {
      fold();
      if (commitIsDue()) commit();
      schedule();
    }),
  IDLE_CHECK,
);

port.on('message', (message: ToLive) => {
  switch (message.type) {
    case 'flushed':
      guarded(() => schedule());
      break;
    case 'adopt':
      guarded(() => {
        const { carried, outputs } = loop.adopt(message.plan, message.build);
        send({
          type: 'adopted',
          id: message.id,
          position: loop.position,
          carried,
          outputs,
          ledger: loop.ledger,
          deadline: loop.deadline(),
        });
        positions.live = loop.position;
        commit();
        schedule();
      });
      break;
    case 'sizes':
      send({ type: 'sizes', id: message.id, sizes: loop.stateSize() });
      break;
    case 'stop':
      clearInterval(timer);
      guarded(() => {
        // after a failure the state in memory is not to be trusted: the next start computes it again
        if (!failed && loop.behindCommit) commit();
      });
      stopping = true;
      void loop.close().then(async () => {
        await log.close();
        port.close();
      });
      break;
  }
});

positions.live = loop.position;
send({
  type: 'ready',
  position: loop.position,
  versions: loop.versions,
  ledger: loop.ledger,
  deadline: loop.deadline(),
});
schedule();
