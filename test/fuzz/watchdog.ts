import { Worker } from 'node:worker_threads';

/** ms without an input done before the run is ended: far more than any input takes on a busy machine */
const HANGS_AFTER = 240_000;

/** Looks at the seed under way from outside: an endless loop leaves no turn to a timer of its own thread. */
export class Watchdog {
  readonly #beat = new BigInt64Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;

  constructor(name: string) {
    this.#worker = new Worker(
      `const { workerData: { beat, name, after } } = require('node:worker_threads');
       const { writeSync } = require('node:fs');
       let last = -1n;
       let since = performance.now();
       setInterval(() => {
         const now = Atomics.load(beat, 0);
         if (now !== last) [last, since] = [now, performance.now()];
         else if (performance.now() - since > after) {
           writeSync(2, name + ': seed ' + last + ' does not come to an end\\n');
           process.kill(process.pid, 'SIGKILL');
         }
       }, 1000);`,
      { eval: true, workerData: { beat: this.#beat, name, after: HANGS_AFTER } },
    );
    this.#worker.unref();
  }

  begin(seed: number): void {
    Atomics.store(this.#beat, 0, BigInt(seed));
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
