import type { RecordBlock } from '../../core/log-record.ts';
import { HEADER_BYTES, SPARSE_MAGIC, sealBytes } from './block-layout.ts';
import { headerSectionLength, noHeaders, readHeaderSection, writeHeaderSection } from './header-section.ts';
import type { RecordColumns } from './record-columns.ts';
import { BYTES_PER_RECORD, columnsAt, newColumns } from './record-columns.ts';
import { readVarint, varintLength, writeVarint } from './varint.ts';

/**
 * A block from which upkeep has taken records. It stands for the same sequences as before: a record that is gone is a
 * *gap*, which reads as a tick with the append time of the record, so that the clock of every view moves as it did.
 *
 * The stored form begins as a dense block (`block-layout.ts`; the last of its i32 is the number of records kept, the
 * event times are those of the kept ones), then:
 *
 * | what |
 * |---|
 * | columns of the kept records |
 * | i32 x kept (filled up to 8): index of each kept record in the block |
 * | i32 x 2: bytes of the clock, 0 |
 * | the clock: per run of equal append time its length and the ms since the run before, as varints; zeros up to 8 |
 * | header section (by place among the kept), payload |
 */
export interface KeptPart {
  /** the topic of gaps and ticks has the id 0 */
  readonly block: RecordBlock;
  /** indexes in the block of the records that stay, ascending */
  readonly kept: readonly number[];
}

/** Marks a gap in the column `partition`: no record has it. */
export const GAP = -1;

const align = (n: number): number => (n + 7) & ~7;

/** Stores what is kept of blocks that follow each other in the log as one block. */
export function encodeSparseBlock(parts: readonly KeptPart[]): Buffer {
  const n = parts.reduce((sum, p) => sum + p.block.n, 0);
  const k = parts.reduce((sum, p) => sum + p.kept.length, 0);
  const clock = clockRuns(parts);
  const withHeaders = parts.some(p => p.block.headers !== null);
  const headers = withHeaders ? parts.flatMap(p => p.kept.map(i => p.block.headers?.[i] ?? [])) : null;
  const headersLength = headerSectionLength(headers);
  const indexAt = HEADER_BYTES + k * BYTES_PER_RECORD;
  const clockAt = indexAt + align(4 * k);
  const headersAt = clockAt + 8 + align(clock.length);
  const payloadStart = headersAt + headersLength;
  const payloadLength = parts.reduce((sum, p) => sum + keptPayload(p), 0);
  const length = align(payloadStart + payloadLength);
  const buffer = new ArrayBuffer(length);
  const out = Buffer.from(buffer);
  const columns = columnsAt(buffer, HEADER_BYTES, k);
  const index = new Int32Array(buffer, indexAt, k);
  const firstSeq = parts[0]!.block.firstSeq;
  const payload = out.subarray(payloadStart);
  let j = 0;
  let at = 0;
  for (const { block, kept } of parts) {
    for (const i of kept) {
      index[j] = block.firstSeq - firstSeq + i;
      at = copyRecord(block, i, { columns, j, payload, at });
      j++;
    }
  }
  new Int32Array(buffer, clockAt, 1)[0] = clock.length;
  out.set(clock, clockAt + 8);
  writeHeaderSection(headers, out, headersAt);
  new Float64Array(buffer, 32, 5).set([firstSeq, ...eventTimes(columns.timestamp), ...appendTimes(parts)]);
  new Int32Array(buffer, 0, 8).set([
    SPARSE_MAGIC,
    0,
    length,
    n,
    headersLength,
    payloadStart,
    payloadLength,
    k,
  ]);
  sealBytes(out);
  return out;
}

function keptPayload({ block, kept }: KeptPart): number {
  let bytes = 0;
  for (const i of kept) {
    bytes += block.keyEnd[i]! - block.keyStart[i]! + block.valueEnd[i]! - block.valueStart[i]!;
  }
  return bytes;
}

/** Copies a record to place `j`, its bytes to `at` of the payload. Returns where the payload goes on. */
function copyRecord(
  block: RecordBlock,
  i: number,
  to: { columns: RecordColumns; j: number; payload: Uint8Array; at: number },
): number {
  const { columns: c, j, payload } = to;
  let { at } = to;
  c.offset[j] = block.offset[i]!;
  c.timestamp[j] = block.timestamp[i]!;
  c.appendTime[j] = block.appendTime[i]!;
  c.topic[j] = block.topic[i]!;
  c.partition[j] = block.partition[i]!;
  const take = (start: number, end: number): number => {
    if (start < 0) return -1;
    payload.set(block.bytes.subarray(start, end), at);
    at += end - start;
    return at - (end - start);
  };
  c.keyStart[j] = take(block.keyStart[i]!, block.keyEnd[i]!);
  c.keyEnd[j] = c.keyStart[j]! < 0 ? -1 : at;
  c.valueStart[j] = take(block.valueStart[i]!, block.valueEnd[i]!);
  c.valueEnd[j] = c.valueStart[j]! < 0 ? -1 : at;
  return at;
}

function eventTimes(timestamps: Float64Array): [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const t of timestamps) {
    if (t < least) least = t;
    if (t > greatest) greatest = t;
  }
  return [least, greatest];
}

function appendTimes(parts: readonly KeptPart[]): [number, number] {
  const last = parts.at(-1)!.block;
  return [parts[0]!.block.appendTime[0]!, last.appendTime[last.n - 1]!];
}

/** One stored sparse block, gaps filled in. */
export function readSparseBlock(bytes: Uint8Array, topics: readonly string[]): RecordBlock {
  const ints = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  const n = ints[3]!;
  const k = ints[7]!;
  const firstSeq = new Float64Array(bytes.buffer, bytes.byteOffset + 32, 1)[0]!;
  const from = columnsAt(bytes.buffer, bytes.byteOffset + HEADER_BYTES, k);
  const indexAt = HEADER_BYTES + k * BYTES_PER_RECORD;
  const index = new Int32Array(bytes.buffer, bytes.byteOffset + indexAt, k);
  const clockAt = indexAt + align(4 * k);
  const columns = newColumns(n);
  const clockLength = ints[clockAt >> 2]!;
  readClock(bytes.subarray(clockAt + 8, clockAt + 8 + clockLength), columns.appendTime);
  columns.timestamp.set(columns.appendTime);
  columns.partition.fill(GAP);
  for (const name of ['keyStart', 'keyEnd', 'valueStart', 'valueEnd'] as const) columns[name].fill(-1);
  for (let j = 0; j < k; j++) {
    const i = index[j]!;
    columns.offset[i] = from.offset[j]!;
    columns.timestamp[i] = from.timestamp[j]!;
    columns.topic[i] = from.topic[j]!;
    columns.partition[i] = from.partition[j]!;
    columns.keyStart[i] = from.keyStart[j]!;
    columns.keyEnd[i] = from.keyEnd[j]!;
    columns.valueStart[i] = from.valueStart[j]!;
    columns.valueEnd[i] = from.valueEnd[j]!;
  }
  const payload = ints[5]!;
  const headers = ints[4]! === 0 ? null : keptHeaders(bytes, { at: payload - ints[4]!, n, index });
  return { firstSeq, n, bytes: bytes.subarray(payload, payload + ints[6]!), topics, ...columns, headers };
}

function keptHeaders(
  bytes: Uint8Array,
  { at, n, index }: { at: number; n: number; index: Int32Array },
): RecordBlock['headers'] {
  const ints = new Int32Array(bytes.buffer, bytes.byteOffset, 8);
  const kept = noHeaders(index.length);
  readHeaderSection(Buffer.from(bytes.buffer, bytes.byteOffset + at, ints[4]!), kept, 0);
  const headers = noHeaders(n);
  for (const [j, i] of index.entries()) headers[i] = kept[j]!;
  return headers;
}

/** The first run counts from 0; append times never decrease. */
function clockRuns(parts: readonly KeptPart[]): Uint8Array {
  const runs: { n: number; time: number }[] = [];
  for (const { block } of parts) {
    for (const time of block.appendTime) {
      const last = runs.at(-1);
      if (last !== undefined && last.time === time) last.n++;
      else runs.push({ n: 1, time });
    }
  }
  const ms = runs.map(({ time }, r) => time - (runs[r - 1]?.time ?? 0));
  const length = runs.reduce((sum, { n }, r) => sum + varintLength(n) + varintLength(ms[r]!), 0);
  const out = new Uint8Array(length);
  let at = 0;
  for (const [r, { n }] of runs.entries()) at = writeVarint(out, writeVarint(out, at, n), ms[r]!);
  return out;
}

function readClock(clock: Uint8Array, appendTime: Float64Array): void {
  const cursor = { at: 0 };
  let i = 0;
  let time = 0;
  while (cursor.at < clock.length) {
    const n = readVarint(clock, cursor);
    time += readVarint(clock, cursor);
    appendTime.fill(time, i, i + n);
    i += n;
  }
}
