import { Worker } from 'node:worker_threads';
import { unreachable } from '../core/assert.ts';
import { stateBuffers } from '../dataflow/live/build-catch-up.ts';
import {
  errorOf,
  type FromLive,
  type OperatorSize,
  SharedPositions,
  type ToLive,
  type WorkerSetup,
} from '../dataflow/live/protocol.ts';
import { WorkBeat } from '../dataflow/live/work-beat.ts';
import { WorkWatch } from './work-watch.ts';

type Ready = Extract<FromLive, { type: 'ready' }>;
type Adopt = Omit<Extract<ToLive, { type: 'adopt' }>, 'type' | 'id'>;
type Said = Exclude<FromLive, { type: 'ready' | 'unusable' | 'sizes' | 'failed' }>;

/** What the live worker says by itself, in the order in which it said it. */
export interface LiveListener {
  said(message: Said): void;
  /** the worker is of no use any more; what it said before has been heard after {@link LiveHandle.stop} */
  failed(message: string): void;
}

/** The live worker, seen from the main thread. */
export class LiveHandle {
  readonly #worker: Worker;
  readonly #sizes = new Map<number, (sizes: readonly OperatorSize[]) => void>();
  readonly #exited: Promise<void>;
  readonly #ready: Promise<Ready>;
  #settleReady: { resolve(ready: Ready): void; reject(error: Error): void } | null = null;
  #listener: LiveListener | null = null;
  /** what was said before anybody listened */
  #early: Said[] = [];
  #ids = 0;
  #stopping = false;

  private constructor(setup: WorkerSetup) {
    const beat = WorkBeat.allocate();
    this.#worker = new Worker(new URL('../dataflow/live/live-worker.ts', import.meta.url), {
      workerData: { ...setup, beat },
    });
    let heldUp: Error | null = null;
    const watch = new WorkWatch({
      beat,
      after: setup.stuckAfter,
      onStuck: (view, message) => {
        heldUp = new Error(`view ${view}: ${message}`);
        setup.heldUp?.push({ view, message, position: new SharedPositions(setup.shared).get('live') });
        void this.#worker.terminate();
      },
    });
    this.#ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.#worker.on('message', (message: FromLive) => this.#receive(message));
    this.#worker.on('error', error => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#exited = new Promise(resolve => {
      this.#worker.once('exit', () => {
        watch.stop();
        this.#fail(heldUp ?? new Error('the live worker ended'));
        for (const answer of this.#sizes.values()) answer([]);
        this.#sizes.clear();
        resolve();
      });
    });
  }

  /** Rejects with an error of the catalogue when the data folder cannot be used as it is. */
  static async start(setup: WorkerSetup): Promise<{ readonly handle: LiveHandle; readonly ready: Ready }> {
    const handle = new LiveHandle(setup);
    return { handle, ready: await handle.#ready };
  }

  listen(listener: LiveListener): void {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) listener.said(message);
  }

  flushed(): void {
    this.#send({ type: 'flushed' });
  }

  /** The answer comes as `adopted` or `refused`. */
  adopt(adopt: Adopt): void {
    const buffers = adopt.build === null ? [] : stateBuffers(adopt.build);
    this.#send({ type: 'adopt', id: ++this.#ids, ...adopt }, buffers);
  }

  served(id: number): void {
    this.#send({ type: 'served', id });
  }

  sizes(): Promise<readonly OperatorSize[]> {
    if (this.#stopping) return Promise.resolve([]);
    const id = ++this.#ids;
    return new Promise(resolve => {
      this.#sizes.set(id, resolve);
      this.#send({ type: 'sizes', id });
    });
  }

  /** Commits, unless the worker has failed, and ends it. Everything it said has been heard then. */
  async stop(): Promise<void> {
    this.#send({ type: 'stop' });
    this.#stopping = true;
    await this.#exited;
  }

  #send(message: ToLive, transferred: ArrayBuffer[] = []): void {
    if (!this.#stopping) this.#worker.postMessage(message, transferred);
  }

  #fail(error: Error): void {
    if (this.#settleReady !== null) this.#settleReady.reject(error);
    else if (!this.#stopping) this.#listener?.failed(error.stack ?? error.message);
    this.#settleReady = null;
  }

  #receive(message: FromLive): void {
    switch (message.type) {
      case 'ready':
        this.#settleReady?.resolve(message);
        this.#settleReady = null;
        break;
      case 'unusable':
        this.#fail(errorOf(message.failure));
        break;
      case 'failed':
        this.#fail(errorOf(message.failure));
        break;
      case 'sizes':
        this.#sizes.get(message.id)?.(message.sizes);
        this.#sizes.delete(message.id);
        break;
      case 'epoch':
      case 'adopted':
      case 'refused':
      case 'setAside':
      case 'committed':
      case 'warning':
        if (this.#listener === null) this.#early.push(message);
        else this.#listener.said(message);
        break;
      default:
        unreachable(message);
    }
  }
}
