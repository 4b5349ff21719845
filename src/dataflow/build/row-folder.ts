import { Worker } from 'node:worker_threads';
import { errorOf, type Failure } from '../live/protocol.ts';

/** messages that may be on their way to the files */
const MOST = 3;

export interface FoldedRows {
  readonly changes: Uint8Array<ArrayBuffer>;
  /** every change is a row of its own */
  readonly append: boolean;
  readonly position: number;
}

export type ToFolder =
  /** `path`: of the view's file */
  | ({ readonly type: 'fold'; readonly path: string } & FoldedRows)
  /** after a failure: what is left is to be tried again */
  | { readonly type: 'retry' }
  | { readonly type: 'close' };

export type FromFolder =
  | { readonly type: 'ready' }
  | { readonly type: 'folded'; readonly messages: number }
  | { readonly type: 'failed'; readonly failure: Failure };

/**
 * Moves the rows of a build to the files of its views in a thread of its own, whose answers come between turns of the
 * event loop. On Linux the thread has the priority of the one that makes it.
 */
export class RowFolder {
  readonly #pathOf: (version: string) => string;
  readonly #worker: Worker;
  #ready = false;
  #onTheWay = 0;
  #failure: Error | null = null;
  /** 1: what has not been begun is not wanted any more */
  readonly #closed = new Int32Array(new SharedArrayBuffer(4));

  /** resolves when the thread is gone */
  readonly ended: Promise<void>;

  /** `pathOf`: the file of a version */
  constructor(pathOf: (version: string) => string) {
    this.#pathOf = pathOf;
    this.#worker = new Worker(new URL('./fold-thread.ts', import.meta.url), {
      workerData: this.#closed,
    });
    this.#worker.on('message', (message: FromFolder) => {
      if (message.type === 'ready') this.#ready = true;
      else if (message.type === 'folded') this.#onTheWay -= message.messages;
      else this.#failure = errorOf(message.failure);
    });
    this.ended = new Promise(resolve => {
      this.#worker.once('exit', () => resolve());
    });
    this.#worker.unref();
    this.#worker.on('error', error => {
      // a thread that cannot even begin is done without
      if (!this.#ready) return;
      this.#failure = error instanceof Error ? error : new Error(String(error));
    });
  }

  /** The thread runs: rows may be handed over. */
  get ready(): boolean {
    return this.#ready;
  }

  /** All that was handed over is in the files. */
  get idle(): boolean {
    return this.#onTheWay === 0;
  }

  /** So much is on its way that no more should come. */
  get full(): boolean {
    return this.#onTheWay >= MOST;
  }

  /** Throws what went wrong since the last call; what was not written is then tried again. */
  check(): void {
    const failure = this.#failure;
    if (failure === null) return;
    this.#failure = null;
    this.#send({ type: 'retry' });
    throw failure;
  }

  /** The changes go to the thread: they are of no use to the caller any more. */
  fold(version: string, rows: FoldedRows): void {
    this.#onTheWay++;
    this.#send({ type: 'fold', path: this.#pathOf(version), ...rows }, [rows.changes.buffer]);
  }

  /** Lets go of the files, and of rows that are not there yet. */
  close(): void {
    Atomics.store(this.#closed, 0, 1);
    this.#send({ type: 'close' });
  }

  #send(message: ToFolder, transferred: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transferred);
  }
}
