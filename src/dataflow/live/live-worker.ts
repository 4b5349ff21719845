import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import { MillraceError } from '../../core/errors.ts';
import { armFaultPoints, faultPoint } from '../../core/fault-points.ts';
import { saysDiskFull } from '../../kv/disk-room.ts';
import { stateBytes } from '../memory-budget.ts';
import { openWorkerEnvironment, type WorkerEnvironment } from '../worker-environment.ts';
import { LiveLoop } from './live-loop.ts';
import { type FromLive, failureOf, type ToLive, type WorkerSetup } from './protocol.ts';

/**
 * The live worker: runs all live views over what the log has flushed, publishes each epoch, commits now and then.
 * It never waits for the disk on behalf of readers: only commits do. A commit that is due holds the epochs until the
 * serving thread has caught up.
 */

/**
 * ms between commits at least; and their beginnings, which hold the epochs up, may take at most this share of the time, so
 * that fewer than one reader in a hundred waits for one; unless that would be more than COMMIT_BY. After a crash, what came
 * since the last one is computed again.
 */
const COMMIT_EVERY = 1_000;
const COMMIT_SHARE = 0.005;
const COMMIT_BY = 30_000;
/** ms without an epoch after which a commit holds nobody up */
const QUIET = 100;
/** bytes of row changes after which a commit does not wait for its share of the time */
const MAX_PENDING = 64 * 1024 * 1024;
const IDLE_CHECK = 200;
/** ms of epochs before messages are looked at */
const SLICE = 8;
/** records by which the serving thread may lag before the worker waits for it */
const MAX_AHEAD = 32_768;
/** ms between two looks at what the worker waits for */
const LOOK_AGAIN = 1;
/** ms between two looks at how much state there is, at least */
const WEIGH_EVERY = 100;
/** ms that the last commit may wait for the serving thread */
const LAST_COMMIT = 2_000;

const port = parentPort;
assert(port !== null, 'the live worker runs as a worker thread');
const send = (message: FromLive): void => port.postMessage(message);

armFaultPoints(process.env.MILLRACE_FAULTS_LIVE, () => process.kill(process.pid, 'SIGKILL'));
const { environment, loop } = await opened();
const { log, positions } = environment;
const { memoryBudget } = workerData as WorkerSetup;
let lastCommit = performance.now();
let commitCost = 0;
let lastEpoch = Number.NEGATIVE_INFINITY;
let lastWeighed = Number.NEGATIVE_INFINITY;
let weighedAt = -1;
let scheduled = false;
let stopping = false;
let failed = false;
/** the disk had no room for the last commit */
let noRoom = false;
/** the adoption that the serving thread does not serve yet */
let unserved: number | null = null;
type Adopt = Extract<ToLive, { type: 'adopt' }>;
/** adoptions that came while a commit was on its way */
const waiting: Adopt[] = [];

async function opened() {
  try {
    const environment = await openWorkerEnvironment(workerData as WorkerSetup);
    const { positions } = environment;
    const recover = (): LiveLoop => {
      const journal = environment.openJournal();
      try {
        return LiveLoop.recover({
          ...environment,
          journal,
          publish: epoch => {
            positions.set('live', epoch.position);
            send({ type: 'epoch', epoch });
          },
          setAside: faults => send({ type: 'setAside', faults }),
          shown: () => positions.get('shown'),
          written: () => positions.get('written'),
          warn: text => send({ type: 'warning', text }),
        });
      } catch (error) {
        void journal.close();
        throw error;
      }
    };
    return { environment, loop: recovered(recover, environment) };
  } catch (error) {
    send({ type: 'unusable', failure: failureOf(error) });
    throw error;
  }
}

/** A journal that is not as it was written is a loss of time only: every view is made anew from the log. */
function recovered(recover: () => LiveLoop, environment: WorkerEnvironment): LiveLoop {
  try {
    return recover();
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'state_damaged') throw error;
    send({ type: 'warning', text: `every view is to be rebuilt from the log: ${error.message}` });
    environment.dropJournal();
    return recover();
  }
}

/** Begins a commit; false when it must wait for the serving thread, or for the one before. */
function commits(): boolean {
  if (unserved !== null) return false;
  const before = performance.now();
  const done = loop.commit();
  if (done === null) return false;
  lastCommit = performance.now();
  commitCost = lastCommit - before;
  done.then(
    position => {
      if (noRoom) {
        send({ type: 'warning', text: 'there is room on the disk again: the state of the views is saved' });
      }
      noRoom = false;
      send({ type: 'committed', position });
      afterCommit();
    },
    error => {
      if (!saysDiskFull(error)) {
        fail(error);
        return;
      }
      waitForRoom(failureOf(error).hint ?? error.message);
      afterCommit();
    },
  );
  return true;
}

/** What had to wait for the end of a commit. */
function afterCommit(): void {
  if (stopping || waiting.length === 0) return;
  for (const message of waiting.splice(0)) guarded(() => adopt(message));
  schedule(0);
}

/** The views go on in memory: what is not saved is computed again after a crash. */
function waitForRoom(why: string): void {
  lastCommit = performance.now();
  if (noRoom) return;
  noRoom = true;
  send({
    type: 'warning',
    text: `the disk is full: the views go on, their state is saved once there is room (${why})`,
  });
}

function commitIsDue(): boolean {
  const now = performance.now();
  const since = now - lastCommit;
  if (loop.committing || !loop.behindCommit || since < COMMIT_EVERY) return false;
  if (now - lastEpoch > QUIET || loop.pendingBytes > MAX_PENDING) return true;
  return since > Math.min(commitCost / COMMIT_SHARE, COMMIT_BY);
}

/** Between epochs: the state of the live views stays within the memory budget. */
function weigh(): void {
  const now = performance.now();
  if (loop.position === weighedAt || now - lastWeighed < WEIGH_EVERY) return;
  lastWeighed = now;
  weighedAt = loop.position;
  positions.set('state', loop.keepWithin(memoryBudget));
}

function pump(): void {
  scheduled = false;
  if (stopping) return;
  positions.wake();
  weigh();
  if (commitIsDue() && !commits()) {
    schedule(LOOK_AGAIN);
    return;
  }
  const until = performance.now() + SLICE;
  let more = true;
  while (more && performance.now() < until) {
    if (loop.position - positions.get('shown') > MAX_AHEAD) {
      schedule(LOOK_AGAIN);
      return;
    }
    more = loop.advance();
    if (more) lastEpoch = performance.now();
  }
  if (!more) positions.fallAsleep();
  if (more || (positions.get('flushed') > loop.position && positions.wake())) schedule(0);
}

function schedule(ms: number): void {
  if (scheduled) return;
  scheduled = true;
  if (ms === 0) setImmediate(() => guarded(pump));
  else setTimeout(() => guarded(pump), ms);
}

/** A failure here is a bug or a damaged file: the main thread reports it and starts the worker anew. */
function guarded(work: () => void): void {
  if (failed) return;
  try {
    work();
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): void {
  stopping = true;
  failed = true;
  send({ type: 'failed', failure: failureOf(error) });
}

const timer = setInterval(() => schedule(0), IDLE_CHECK);

function adopt({ id, plan, build }: Adopt): void {
  faultPoint('live.adopt');
  let adoption: ReturnType<LiveLoop['adopt']>;
  try {
    adoption = loop.adopt(plan, build);
  } catch (error) {
    send({ type: 'refused', id, failure: failureOf(error) });
    return;
  }
  unserved = id;
  // the next build is weighed beside what is left now
  positions.set('state', stateBytes(loop.stateSize()));
  weighedAt = -1;
  faultPoint('live.adopted');
  const { ledger, position } = loop;
  send({ type: 'adopted', id, position, ...adoption, ledger, deadline: loop.deadline() });
  positions.set('live', position);
}

/** Commits and ends. After a failure the state in memory is not to be trusted: the next start computes it again. */
function stop(deadline: number, last = false): void {
  stopping = true;
  clearInterval(timer);
  let begun = last;
  if (!last && !failed && loop.behindCommit) guarded(() => (begun = commits()));
  const waits =
    !failed && (loop.committing || (loop.behindCommit && !begun && performance.now() <= deadline));
  if (waits) setTimeout(() => stop(deadline, begun), LOOK_AGAIN);
  else void end();
}

async function end(): Promise<void> {
  // a failure elsewhere may come while a commit is on its way
  while (loop.committing) await new Promise(resolve => setTimeout(resolve, LOOK_AGAIN));
  await loop.close();
  await log.close();
  port?.close();
}

port.on('message', (message: ToLive) => {
  switch (message.type) {
    case 'flushed':
      schedule(0);
      break;
    case 'adopt':
      if (loop.committing) waiting.push(message);
      else guarded(() => adopt(message));
      break;
    case 'served':
      guarded(() => {
        if (message.id !== unserved) return;
        unserved = null;
        // an adoption is committed as soon as can be
        lastCommit = Number.NEGATIVE_INFINITY;
        schedule(0);
      });
      break;
    case 'sizes':
      guarded(() => send({ type: 'sizes', id: message.id, sizes: loop.stateSize() }));
      break;
    case 'stop':
      stop(performance.now() + LAST_COMMIT);
      break;
  }
});

for (const heldUp of (workerData as WorkerSetup).heldUp ?? []) loop.giveUp(heldUp);
positions.set('live', loop.position);
send({
  type: 'ready',
  position: loop.position,
  versions: loop.versions,
  ledger: loop.ledger,
  deadline: loop.deadline(),
});
schedule(0);
