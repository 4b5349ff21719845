import { Worker } from 'node:worker_threads';
import type { RecordBlock } from '../../core/log-record.ts';
import { directScan } from '../direct-scan.ts';
import type { BlockScan, LogReader } from '../event-log.ts';
import type { BlockStore } from './block-store.ts';
import { sliceBlock } from './record-columns.ts';
import { ENDED, FREE, RunMemory } from './run-memory.ts';

/** ms that a run may take; then this thread reads on its own */
const LONGEST = 2_000;

/** What the thread is given, and what it is told. */
export interface ReadAheadSetup {
  readonly dir: string;
  readonly shared: SharedArrayBuffer;
  /** what the thread is to do beside reading */
  readonly order?: unknown;
}

export interface ReadAheadOptions {
  /** records that must lie ahead before the thread is asked */
  readonly worthFrom: number;
  /** a thread that puts something beside the runs, see `readRuns`; default: one that only reads */
  readonly thread?: { readonly module: URL; readonly order: unknown } | undefined;
}

export interface ReadFrom {
  readonly from: number;
  /** records of a run, about */
  readonly records: number;
}

interface ReadingThread {
  readonly worker: Worker;
  readonly memory: RunMemory;
  ready: boolean;
}

/** How far the thread's runs were taken. */
interface Reading {
  /** where the run after this one begins */
  next: number;
  /** runs before this one */
  runs: number;
  readonly upkeep: number;
  run: RecordBlock | null;
}

/**
 * A scan of a log whose sealed part another thread reads and checks, some runs ahead. What is not sealed or has gaps is
 * read directly, and so is everything while little lies ahead, or once upkeep has come in between. On Linux the thread has
 * the priority of the one that opens the scan.
 */
export class ReadAhead implements BlockScan {
  readonly #log: LogReader;
  readonly #direct: BlockScan;
  readonly #store: BlockStore;
  readonly #dir: string;
  readonly #worthFrom: number;
  readonly #module: URL;
  readonly #order: unknown;
  #thread: ReadingThread | null = null;
  #reading: Reading | null = null;
  /** from here on the thread may be asked again */
  #again = 0;
  #closed = false;

  constructor(log: LogReader, store: BlockStore, dir: string, { worthFrom, thread }: ReadAheadOptions) {
    this.#log = log;
    this.#direct = directScan(log);
    this.#store = store;
    this.#dir = dir;
    this.#worthFrom = worthFrom;
    this.#module = thread?.module ?? new URL('./read-ahead-thread.ts', import.meta.url);
    this.#order = thread?.order;
  }

  /** whether the thread runs; it is started by the first `next` that finds enough ahead */
  get ready(): boolean {
    return this.#thread?.ready === true;
  }

  /** whether the thread has read what was given last */
  get isAhead(): boolean {
    return this.#reading?.run != null;
  }

  next(from: number, maxRecords: number): RecordBlock | null {
    const run = this.#closed ? null : this.#ahead(from, maxRecords);
    if (run === null) return this.#direct.next(from, maxRecords);
    const begin = from - run.firstSeq;
    // a run is read for so many records: a small rest of it goes with them
    const rest = run.n - begin;
    return sliceBlock(run, begin, begin + (rest <= maxRecords * 1.25 ? rest : maxRecords));
  }

  close(): void {
    this.#closed = true;
    this.#reading = null;
    void this.#thread?.worker.terminate();
    this.#thread = null;
  }

  /** The run that holds `from`, or null. */
  #ahead(from: number, records: number): RecordBlock | null {
    if (this.#reading === null) this.#ask(from, records);
    const reading = this.#reading;
    if (reading === null || this.#thread === null) return null;
    const { memory } = this.#thread;
    if (this.#isTouched(reading)) return null;
    if (reading.run !== null && from < reading.next && from >= reading.run.firstSeq) return reading.run;
    if (reading.run !== null) memory.free(memory.slot(reading.runs++));
    reading.run = null;
    const slot = memory.slot(reading.runs);
    if (from !== reading.next || !memory.waitWhile(slot, FREE, LONGEST)) {
      this.close();
      return null;
    }
    if (memory.state(slot) === ENDED) {
      memory.free(slot);
      this.#reading = null;
      return null;
    }
    if (this.#isTouched(reading)) return null;
    reading.run = memory.block(slot, this.#store.topicNames);
    reading.next = reading.run.firstSeq + reading.run.n;
    return reading.run;
  }

  /** Upkeep has changed what is kept: what the thread has read may be gone. */
  #isTouched({ upkeep }: Reading): boolean {
    this.#store.refresh();
    if (this.#store.upkeepChanges === upkeep) return false;
    this.close();
    return true;
  }

  /** Asks the thread to read from here on, where that is worth it. */
  #ask(from: number, records: number): void {
    if (from < this.#again || this.#log.end() - from < this.#worthFrom) return;
    this.#thread ??= this.#start();
    const thread = this.#thread;
    if (!thread.ready) return;
    this.#again = from + this.#worthFrom;
    this.#reading = { next: from, runs: 0, upkeep: this.#store.upkeepChanges, run: null };
    thread.worker.postMessage({ from, records } satisfies ReadFrom);
  }

  #start(): ReadingThread {
    const memory = new RunMemory();
    const worker = new Worker(this.#module, {
      workerData: { dir: this.#dir, shared: memory.shared, order: this.#order } satisfies ReadAheadSetup,
    });
    const thread = { worker, memory, ready: false };
    worker.once('message', () => {
      thread.ready = true;
    });
    // what it cannot read is read directly, and told there
    worker.once('error', () => this.close());
    worker.unref();
    return thread;
  }
}
