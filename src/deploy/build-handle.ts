import { Worker } from 'node:worker_threads';
import { type FromBuild, failureOf, type ToBuild, type WorkerSetup } from '../dataflow/live/protocol.ts';
import { WorkBeat } from '../dataflow/live/work-beat.ts';
import { ViewFailure } from '../dataflow/view-failure.ts';
import { WorkWatch } from './work-watch.ts';

export type BuildOrder = Omit<Extract<ToBuild, { type: 'build' }>, 'type'>;

/** The build worker, seen from the main thread; started with the first build. */
export class BuildHandle {
  readonly #setup: WorkerSetup;
  readonly #listener: (message: FromBuild) => void;
  #worker: Worker | null = null;
  #current: number | null = null;

  constructor(setup: WorkerSetup, listener: (message: FromBuild) => void) {
    this.#setup = setup;
    this.#listener = listener;
  }

  build(order: BuildOrder): void {
    this.#current = order.id;
    this.#open().postMessage({ type: 'build', ...order } satisfies ToBuild);
  }

  /** The records of one message of outputs are durable. */
  written(id: number): void {
    this.#worker?.postMessage({ type: 'written', id, messages: 1 } satisfies ToBuild);
  }

  cancel(id: number): void {
    this.#worker?.postMessage({ type: 'cancel', id } satisfies ToBuild);
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    if (worker === null) return;
    const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()));
    worker.postMessage({ type: 'stop' } satisfies ToBuild);
    await exited;
  }

  #open(): Worker {
    if (this.#worker !== null) return this.#worker;
    const beat = WorkBeat.allocate();
    const worker = new Worker(new URL('../dataflow/build/build-worker.ts', import.meta.url), {
      workerData: { ...this.#setup, beat },
    });
    const watch = new WorkWatch({
      beat,
      after: this.#setup.stuckAfter,
      onStuck: (view, message) => {
        void worker.terminate();
        ended(new ViewFailure(view, message));
      },
    });
    const ended = (error: unknown): void => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      if (this.#current !== null) {
        this.#listener({ type: 'failed', id: this.#current, failure: failureOf(error) });
      }
    };
    worker.on('message', (message: FromBuild) => this.#listener(message));
    worker.on('error', ended);
    worker.on('exit', () => {
      watch.stop();
      ended(new Error('the build worker ended'));
    });
    this.#worker = worker;
    return worker;
  }
}
