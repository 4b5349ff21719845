import { Worker } from 'node:worker_threads';
import type { FromLive, OperatorSize, ToLive, WorkerSetup } from '../dataflow/live/protocol.ts';

type Ready = Extract<FromLive, { type: 'ready' }>;
type Adopted = Extract<FromLive, { type: 'adopted' }>;
type Adopt = Omit<Extract<ToLive, { type: 'adopt' }>, 'type' | 'id'>;

/** What the live worker says by itself. Called in the order in which the worker said it. */
export interface LiveListener {
  epoch(epoch: Extract<FromLive, { type: 'epoch' }>['epoch']): void;
  folded(position: number): void;
  adopted(adopted: Adopted): void;
  failed(message: string): void;
}

/** The live worker, seen from the main thread. */
export class LiveHandle {
  readonly #worker: Worker;
  readonly #sizes = new Map<number, (sizes: readonly OperatorSize[]) => void>();
  readonly #exited: Promise<void>;
  #listener: LiveListener | null = null;
  #ids = 0;
  #stopping = false;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#exited = new Promise(resolve => worker.once('exit', () => resolve()));
  }

  static async start(setup: WorkerSetup): Promise<{ handle: LiveHandle; ready: Ready }> {
    const worker = new Worker(new URL('../dataflow/live/live-worker.ts', import.meta.url), {
      workerData: setup,
    });
    const handle = new LiveHandle(worker);
    const ready = await new Promise<Ready>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (message: FromLive) => {
        worker.off('error', reject);
        if (message.type === 'ready') resolve(message);
        else reject(new Error(`the live worker began with ${message.type}`));
      });
    });
    worker.on('message', (message: FromLive) => handle.#receive(message));
    worker.on('error', error =>
      handle.#listener?.failed(error instanceof Error ? String(error.stack) : String(error)),
    );
    return { handle, ready };
  }

  listen(listener: LiveListener): void {
    this.#listener = listener;
  }

  flushed(): void {
    this.#send({ type: 'flushed' });
  }

  /** The answer comes as `adopted` with the same id. */
  adopt(adopt: Adopt): number {
    const id = ++this.#ids;
    this.#send({ type: 'adopt', id, ...adopt });
    return id;
  }

  sizes(): Promise<readonly OperatorSize[]> {
    const id = ++this.#ids;
    return new Promise(resolve => {
      this.#sizes.set(id, resolve);
      this.#send({ type: 'sizes', id });
    });
  }

  /** Commits and ends the worker. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#worker.postMessage({ type: 'stop' } satisfies ToLive);
    await this.#exited;
  }

  #send(message: ToLive): void {
    if (!this.#stopping) this.#worker.postMessage(message);
  }

  #receive(message: FromLive): void {
    switch (message.type) {
      case 'epoch':
        this.#listener?.epoch(message.epoch);
        break;
      case 'folded':
        this.#listener?.folded(message.position);
        break;
      case 'adopted':
        this.#listener?.adopted(message);
        break;
      case 'failed':
        this.#listener?.failed(message.message);
        break;
      case 'sizes':
        this.#sizes.get(message.id)?.(message.sizes);
        this.#sizes.delete(message.id);
        break;
      case 'ready':
      case 'committed':
        break;
    }
  }
}
