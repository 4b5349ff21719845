import type { RecordBlock } from '../../core/log-record.ts';
import { blockOfRun, headersOfRun } from './block-layout.ts';
import { BYTES_PER_RECORD, columnsAt, type RecordColumns } from './record-columns.ts';

/** bytes of one slot: a run of blocks and its columns behind it */
const SLOT = 9 << 20;
const SLOTS = 3;
/** numbers per slot: bytes of the run, records, whether it has headers, where something else begins (0: nothing) */
const NUMBERS = 4;

/** What a slot holds. */
export const FREE = 0;
export const FULL = 1;
/** nothing: the reader stopped where the next run would begin */
export const ENDED = 2;

/** A run as it stands in a slot. */
export interface FilledRun {
  readonly length: number;
  readonly n: number;
  readonly headers: boolean;
}

/**
 * Runs of records on their way from the thread that reads ahead: a ring of slots in shared memory. Each slot is written
 * by one side and given back by the other.
 */
export class RunMemory {
  readonly shared: SharedArrayBuffer;
  readonly #states: Int32Array;
  readonly #numbers: Float64Array;

  constructor(shared: SharedArrayBuffer = RunMemory.#allocate()) {
    this.shared = shared;
    this.#states = new Int32Array(shared, SLOTS * SLOT + SLOTS * NUMBERS * 8, SLOTS);
    this.#numbers = new Float64Array(shared, SLOTS * SLOT, SLOTS * NUMBERS);
  }

  static #allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(SLOTS * SLOT + SLOTS * NUMBERS * 8 + SLOTS * 4);
  }

  /** The slot of the i-th run. */
  slot(i: number): number {
    return i % SLOTS;
  }

  bytes(slot: number): Uint8Array {
    return new Uint8Array(this.shared, slot * SLOT, SLOT);
  }

  /** Where the columns of a run stand; null when they have no room. */
  columns(slot: number, { length, n }: Pick<FilledRun, 'length' | 'n'>): RecordColumns | null {
    const at = (length + 7) & ~7;
    return at + n * BYTES_PER_RECORD > SLOT ? null : columnsAt(this.shared, slot * SLOT + at, n);
  }

  /** The run in a full slot, as it was filled. */
  block(slot: number, topics: readonly string[]): RecordBlock {
    const at = slot * NUMBERS;
    const length = this.#numbers[at] as number;
    const n = this.#numbers[at + 1] as number;
    const bytes = this.bytes(slot).subarray(0, length);
    const columns = this.columns(slot, { length, n });
    const [firstSeq = 0] = new Float64Array(this.shared, slot * SLOT + 32, 1);
    const blocks = new Int32Array(this.shared, slot * SLOT, 4);
    const from = this.#numbers[at + 3] as number;
    const beside = from === 0 ? undefined : { buffer: this.shared, at: from };
    if (columns === null || blocks[3] === n) return { ...blockOfRun(bytes, topics), beside };
    const headers = this.#numbers[at + 2] === 1 ? headersOfRun(bytes, n) : null;
    return { firstSeq, n, bytes, topics, ...columns, headers, beside };
  }

  /** Says what a slot holds; `beside`: where something else begins that goes with the run. */
  describe(slot: number, { length, n, headers }: FilledRun, beside = 0): void {
    this.#numbers.set([length, n, headers ? 1 : 0, beside], slot * NUMBERS);
  }

  /** What a run that is described leaves free of its slot. */
  roomBeside(slot: number): {
    readonly buffer: SharedArrayBuffer;
    readonly at: number;
    readonly end: number;
  } {
    const [length = 0, n = 0] = this.#numbers.subarray(slot * NUMBERS);
    const used = ((length + 7) & ~7) + n * BYTES_PER_RECORD;
    return { buffer: this.shared, at: slot * SLOT + ((used + 7) & ~7), end: (slot + 1) * SLOT };
  }

  full(slot: number): void {
    this.#become(slot, FULL);
  }

  ended(slot: number): void {
    this.#become(slot, ENDED);
  }

  free(slot: number): void {
    this.#become(slot, FREE);
  }

  state(slot: number): number {
    return Atomics.load(this.#states, slot);
  }

  /** Holds the thread until a slot is no longer in a state; false when it still was after `ms`. */
  waitWhile(slot: number, state: number, ms: number): boolean {
    return Atomics.wait(this.#states, slot, state, ms) !== 'timed-out';
  }

  #become(slot: number, state: number): void {
    Atomics.store(this.#states, slot, state);
    Atomics.notify(this.#states, slot);
  }
}
