import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import { armFaultPoints } from '../../core/fault-points.ts';
import { saysDiskFull } from '../../kv/disk-room.ts';
import { stateBuffers } from '../live/build-catch-up.ts';
import { type FromBuild, failureOf, type ToBuild, type WorkerSetup } from '../live/protocol.ts';
import { overBudget } from '../memory-budget.ts';
import { lowerThreadPriority } from '../thread-priority.ts';
import { openWorkerEnvironment } from '../worker-environment.ts';
import { ShadowBuild } from './shadow-build.ts';

/** The build worker: one shadow build at a time, in slices, giving way while the live views lag. */

const SLICE = 25;
const PROGRESS_EVERY = 100;
/** records by which the live worker may lag before the build waits */
const LIVE_LAG = 1_000;
/** messages of outputs that may be on their way to the log */
const OUTPUTS_AHEAD = 4;
const GIVE_WAY = 5;
/** ms between two looks at rows on their way to the files */
const LOOK_AGAIN = 1;
/** of 19: threads that serve get nearly all of a core that they want */
const NICE = 15;
/** ms between two looks at a disk that is full */
const ROOM_CHECK = 500;

const port = parentPort;
assert(port !== null, 'the build worker runs as a worker thread');
const send = (message: FromBuild): void => port.postMessage(message);
armFaultPoints(process.env.MILLRACE_FAULTS_BUILD, () => process.kill(process.pid, 'SIGKILL'));
lowerThreadPriority(NICE);
const environment = await openWorkerEnvironment(workerData as WorkerSetup);
const { log, positions } = environment;
const { memoryBudget } = workerData as WorkerSetup;

type Order = Extract<ToBuild, { type: 'build' }>;

let running: {
  readonly id: number;
  readonly order: Order;
  readonly build: ShadowBuild;
  reported: number;
  unwritten: number;
} | null = null;
let scheduled = false;
/** a build that cannot begin, or not go on, before the disk has room */
let waiting: Order | null = null;

function pump(): void {
  scheduled = false;
  if (running === null) return;
  const lag = positions.get('flushed') - positions.get('live');
  if (lag > LIVE_LAG || running.unwritten > OUTPUTS_AHEAD) {
    schedule(GIVE_WAY);
    return;
  }
  const { id, order, build } = running;
  try {
    build.check();
    if (build.waits) {
      schedule(LOOK_AGAIN);
      return;
    }
    const until = performance.now() + SLICE;
    const goesOn = (to: { readonly unwritten: number }): boolean =>
      !build.caughtUp && !build.waits && performance.now() < until && to.unwritten <= OUTPUTS_AHEAD;
    while (goesOn(running)) {
      build.advance();
      const outputs = build.takeOutputs();
      if (outputs.length === 0) continue;
      running.unwritten++;
      send({ type: 'outputs', id, outputs, position: build.position });
    }
    const over = overBudget(build.stateSize(), {
      budget: memoryBudget,
      beside: positions.get('state'),
      pausable: view => build.builds(view),
    });
    if (over !== null) throw over;
    if (build.caughtUp && !build.waits) {
      const finished = build.finish();
      running = null;
      port?.postMessage(
        { type: 'finished', id, build: finished } satisfies FromBuild,
        stateBuffers(finished),
      );
    } else if (performance.now() - running.reported > PROGRESS_EVERY) {
      running.reported = performance.now();
      send({ type: 'progress', id, position: build.position, target: log.end() });
    }
  } catch (error) {
    if (saysDiskFull(error)) {
      waitForRoom(order, error);
      schedule(ROOM_CHECK);
      return;
    }
    running = null;
    build.close();
    send({ type: 'failed', id, failure: failureOf(error) });
  }
  schedule(0);
}

function schedule(ms: number): void {
  if (scheduled) return;
  scheduled = true;
  if (ms === 0) setImmediate(pump);
  else setTimeout(pump, ms);
}

function begin(order: Order): void {
  assert(running === null, 'one build at a time');
  try {
    running = { id: order.id, order, build: new ShadowBuild(environment, order), reported: 0, unwritten: 0 };
    schedule(0);
  } catch (error) {
    if (!saysDiskFull(error)) {
      send({ type: 'failed', id: order.id, failure: failureOf(error) });
      return;
    }
    waitForRoom(order, error);
    waiting = order;
    setTimeout(() => {
      if (waiting !== order) return;
      waiting = null;
      begin(order);
    }, ROOM_CHECK);
  }
}

let told = 0;

/** Says once for each build that it waits. */
function waitForRoom({ id, built }: Order, error: Error): void {
  if (told === id) return;
  told = id;
  const names = built.map(v => v.plan.name).join(', ');
  const warning = `the build of ${names} waits, the disk is full (${failureOf(error).hint ?? error.message})`;
  send({ type: 'progress', id, position: running?.build.position ?? 0, target: log.end(), warning });
}

function end(): void {
  running?.build.close();
  running = null;
  waiting = null;
}

port.on('message', (message: ToBuild) => {
  switch (message.type) {
    case 'build':
      begin(message);
      break;
    case 'written':
      if (running?.id === message.id) running.unwritten -= message.messages;
      break;
    case 'cancel':
      // a build that has finished or failed meanwhile is not there any more: its answer is on the way
      if (running?.id !== message.id && waiting?.id !== message.id) break;
      end();
      send({ type: 'cancelled', id: message.id });
      break;
    case 'stop':
      end();
      void log.close().then(() => port.close());
      break;
  }
});
