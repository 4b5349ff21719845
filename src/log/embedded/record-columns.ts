import type { RecordBlock } from '../../core/log-record.ts';

/** The columns of a block of records, all views of one buffer in the order of the stored layout. */
export type RecordColumns = Pick<
  RecordBlock,
  | 'topic'
  | 'partition'
  | 'offset'
  | 'timestamp'
  | 'appendTime'
  | 'keyStart'
  | 'keyEnd'
  | 'valueStart'
  | 'valueEnd'
>;

/** 3 columns of 8 bytes, then 6 columns of 4 bytes: every column of every block stays aligned. */
export const BYTES_PER_RECORD = 3 * 8 + 6 * 4;

/** Views of `n` records' columns at `at`, which is a multiple of 8. */
export function columnsAt(buffer: ArrayBufferLike, at: number, n: number): RecordColumns {
  const ints = at + 24 * n;
  return {
    offset: new Float64Array(buffer, at, n),
    timestamp: new Float64Array(buffer, at + 8 * n, n),
    appendTime: new Float64Array(buffer, at + 16 * n, n),
    topic: new Int32Array(buffer, ints, n),
    partition: new Int32Array(buffer, ints + 4 * n, n),
    keyStart: new Int32Array(buffer, ints + 8 * n, n),
    keyEnd: new Int32Array(buffer, ints + 12 * n, n),
    valueStart: new Int32Array(buffer, ints + 16 * n, n),
    valueEnd: new Int32Array(buffer, ints + 20 * n, n),
  };
}

export function newColumns(n: number): RecordColumns {
  return columnsAt(new ArrayBuffer(n * BYTES_PER_RECORD), 0, n);
}

/** Columns in memory that the next ones take: for scans. */
export class ReusedColumns {
  #buffer = new ArrayBuffer(0);

  of(n: number): RecordColumns {
    const bytes = n * BYTES_PER_RECORD;
    // a multiple of 8 a record, and some more for runs that are a little longer
    if (bytes > this.#buffer.byteLength) this.#buffer = new ArrayBuffer(bytes + (bytes >> 6) * 8);
    return columnsAt(this.#buffer, 0, n);
  }
}

export function sliceColumns(columns: RecordColumns, from: number, to: number): RecordColumns {
  return {
    offset: columns.offset.subarray(from, to),
    timestamp: columns.timestamp.subarray(from, to),
    appendTime: columns.appendTime.subarray(from, to),
    topic: columns.topic.subarray(from, to),
    partition: columns.partition.subarray(from, to),
    keyStart: columns.keyStart.subarray(from, to),
    keyEnd: columns.keyEnd.subarray(from, to),
    valueStart: columns.valueStart.subarray(from, to),
    valueEnd: columns.valueEnd.subarray(from, to),
  };
}

/** Copies columns to `at`; the byte ranges move by `shift`, null (-1) stays null. */
export function copyColumns(from: RecordColumns, to: RecordColumns, at: number, shift: number): void {
  to.offset.set(from.offset, at);
  to.timestamp.set(from.timestamp, at);
  to.appendTime.set(from.appendTime, at);
  to.topic.set(from.topic, at);
  to.partition.set(from.partition, at);
  shiftRanges(from.keyStart, to.keyStart, at, shift);
  shiftRanges(from.keyEnd, to.keyEnd, at, shift);
  shiftRanges(from.valueStart, to.valueStart, at, shift);
  shiftRanges(from.valueEnd, to.valueEnd, at, shift);
}

function shiftRanges(from: Int32Array, to: Int32Array, at: number, shift: number): void {
  for (let i = 0; i < from.length; i++) {
    const v = from[i]!;
    to[at + i] = v < 0 ? -1 : v + shift;
  }
}

/** A part of a block: columns are views, bytes are shared. */
export function sliceBlock(block: RecordBlock, from: number, to: number): RecordBlock {
  if (from === 0 && to === block.n) return block;
  return {
    firstSeq: block.firstSeq + from,
    n: to - from,
    bytes: block.bytes,
    topics: block.topics,
    ...sliceColumns(block, from, to),
    headers: block.headers?.slice(from, to) ?? null,
  };
}
