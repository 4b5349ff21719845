import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import type { FromBuild, ToBuild, WorkerSetup } from '../live/protocol.ts';
import { openWorkerEnvironment } from '../worker-environment.ts';
import { ShadowBuild } from './shadow-build.ts';

/** The build worker: one shadow build at a time, in slices, giving way while the live views lag. */

const SLICE = 25;
const PROGRESS_EVERY = 100;
/** records by which the live worker may lag before the build waits */
const LIVE_LAG = 1_000;
const GIVE_WAY = 5;

const port = parentPort;
assert(port !== null, 'the build worker runs as a worker thread');
const send = (message: FromBuild): void => port.postMessage(message);
const environment = await openWorkerEnvironment(workerData as WorkerSetup);
const { log, positions } = environment;

const queue: Extract<ToBuild, { type: 'build' }>[] = [];
let running: { id: number; build: ShadowBuild; reported: number } | null = null;

function pump(): void {
  if (running === null) {
    const next = queue.shift();
    if (next === undefined) return;
    running = { id: next.id, build: new ShadowBuild(environment, next), reported: 0 };
  }
  const { id, build } = running;
  if (positions.flushed - positions.live > LIVE_LAG) {
    setTimeout(pump, GIVE_WAY);
    return;
  }
  try {
    const until = performance.now() + SLICE;
    while (!build.caughtUp && performance.now() < until) build.advance();
    const outputs = build.takeOutputs();
    if (outputs.length > 0) send({ type: 'outputs', id, outputs, position: build.position });
    if (build.caughtUp) {
      running = null;
      const finished = build.finish();
      send({ type: 'finished', id, build: finished });
    } else if (performance.now() - running.reported > PROGRESS_EVERY) {
      running.reported = performance.now();
      send({ type: 'progress', id, position: build.position, target: log.end() });
    }
  } catch (error) {
    running = null;
    build.close();
    send({
      type: 'failed',
      id,
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
  setImmediate(pump);
}

port.on('message', (message: ToBuild) => {
  switch (message.type) {
    case 'build':
      queue.push(message);
      if (running === null && queue.length === 1) setImmediate(pump);
      break;
    case 'cancel': {
      const waiting = queue.findIndex(b => b.id === message.id);
      if (waiting >= 0) queue.splice(waiting, 1);
      if (running?.id === message.id) {
        running.build.close();
        running = null;
      }
      send({ type: 'cancelled', id: message.id });
      break;
    }
    case 'stop':
      running?.build.close();
      running = null;
      queue.length = 0;
      void log.close().then(() => port.close());
      break;
  }
});
