import { crc32 } from 'node:zlib';
import type { RecordBlock } from '../../core/log-record.ts';
import { headerSectionLength, noHeaders, readHeaderSection, writeHeaderSection } from './header-section.ts';
import {
  BYTES_PER_RECORD,
  columnsAt,
  copyColumns,
  newColumns,
  type RecordColumns,
  type ReusedColumns,
} from './record-columns.ts';

/**
 * The stored form of a block of records, the same in the tail and in segment files. Little endian; a block starts at a
 * multiple of 8 and its length is one, so that the columns of a block that was read are views of the read buffer.
 *
 * | at | what |
 * |---|---|
 * | 0 | i32 x 8: magic, checksum (CRC-32 of everything from byte 8), length of the block, records, length of the header section, payload start, payload length, 0 (records kept, in a block with gaps) |
 * | 32 | f64 x 5: first sequence, least and greatest event time, first and last append time |
 * | 72 | columns (`record-columns.ts`); topics by id, byte ranges relative to the payload |
 * | then | header section, payload (keys and values in order), zeros up to a multiple of 8 |
 */
const MAGIC = 0x31424c4d;
/** of a block with gaps: `sparse-block.ts` */
export const SPARSE_MAGIC = 0x32424c4d;
export const HEADER_BYTES = 72;

export interface BlockInfo {
  readonly firstSeq: number;
  readonly n: number;
  /** bytes as stored */
  readonly length: number;
  readonly minTimestamp: number;
  readonly maxTimestamp: number;
  readonly minAppendTime: number;
  readonly maxAppendTime: number;
  /** records that are there; less than `n` when upkeep has taken some */
  readonly kept: number;
}

/** Bytes that record i of a block takes when stored: to cut blocks by size. */
export function storedBytes(block: RecordBlock, i: number): number {
  const headers = block.headers?.[i];
  const headerBytes = headers === undefined ? 0 : headerSectionLength([headers]);
  return BYTES_PER_RECORD + payloadBytes(block, i, i + 1) + headerBytes;
}

function payloadBytes(block: RecordBlock, from: number, to: number): number {
  let bytes = 0;
  for (let i = from; i < to; i++) {
    bytes += block.keyEnd[i]! - block.keyStart[i]! + block.valueEnd[i]! - block.valueStart[i]!;
  }
  return bytes;
}

/** Stores records [from, to) of a block; its `topic` column must hold topic ids. */
export function encodeBlock(block: RecordBlock, from: number, to: number): Buffer {
  const n = to - from;
  const headers = block.headers?.slice(from, to) ?? null;
  const headersLength = headerSectionLength(headers);
  const payloadStart = HEADER_BYTES + n * BYTES_PER_RECORD + headersLength;
  const payloadLength = payloadBytes(block, from, to);
  const length = (payloadStart + payloadLength + 7) & ~7;
  const buffer = new ArrayBuffer(length);
  const out = Buffer.from(buffer);
  const columns = columnsAt(buffer, HEADER_BYTES, n);
  columns.offset.set(block.offset.subarray(from, to));
  columns.timestamp.set(block.timestamp.subarray(from, to));
  columns.appendTime.set(block.appendTime.subarray(from, to));
  columns.topic.set(block.topic.subarray(from, to));
  columns.partition.set(block.partition.subarray(from, to));
  writePayload(block, from, columns, out, payloadStart);
  writeHeaderSection(headers, out, HEADER_BYTES + n * BYTES_PER_RECORD);
  let minTimestamp = Number.POSITIVE_INFINITY;
  let maxTimestamp = Number.NEGATIVE_INFINITY;
  for (const t of columns.timestamp) {
    if (t < minTimestamp) minTimestamp = t;
    if (t > maxTimestamp) maxTimestamp = t;
  }
  new Float64Array(buffer, 32, 5).set([
    block.firstSeq + from,
    minTimestamp,
    maxTimestamp,
    columns.appendTime[0] ?? 0,
    columns.appendTime[n - 1] ?? 0,
  ]);
  const ints = new Int32Array(buffer, 0, 8);
  ints.set([MAGIC, 0, length, n, headersLength, payloadStart, payloadLength, 0]);
  sealBytes(out);
  return out;
}

/** Sets the checksum of a block that is otherwise complete. */
export function sealBytes(block: Buffer): void {
  block.writeInt32LE(crc32(block.subarray(8)) | 0, 4);
}

/** Copies keys and values, whole stretches at a time where they lie side by side, and sets their ranges. */
function writePayload(
  block: RecordBlock,
  from: number,
  columns: ReturnType<typeof columnsAt>,
  out: Buffer,
  payloadStart: number,
): void {
  let at = 0;
  let stretchFrom = 0;
  let stretchTo = 0;
  const take = (start: number, end: number): void => {
    if (start !== stretchTo) {
      out.set(block.bytes.subarray(stretchFrom, stretchTo), payloadStart + at - (stretchTo - stretchFrom));
      stretchFrom = start;
    }
    stretchTo = end;
    at += end - start;
  };
  for (let i = 0; i < columns.topic.length; i++) {
    const keyStart = block.keyStart[from + i]!;
    const valueStart = block.valueStart[from + i]!;
    columns.keyStart[i] = keyStart < 0 ? -1 : at;
    if (keyStart >= 0) take(keyStart, block.keyEnd[from + i]!);
    columns.keyEnd[i] = keyStart < 0 ? -1 : at;
    columns.valueStart[i] = valueStart < 0 ? -1 : at;
    if (valueStart >= 0) take(valueStart, block.valueEnd[from + i]!);
    columns.valueEnd[i] = valueStart < 0 ? -1 : at;
  }
  out.set(block.bytes.subarray(stretchFrom, stretchTo), payloadStart + at - (stretchTo - stretchFrom));
}

/** What is wrong with the stored block at `at`, or null when it is whole. */
export function blockDamage(bytes: Uint8Array, at: number): string | null {
  if (bytes.length - at < HEADER_BYTES) return 'it is cut off';
  const ints = new Int32Array(bytes.buffer, bytes.byteOffset + at, 8);
  const length = ints[2]!;
  if (ints[0] !== MAGIC && ints[0] !== SPARSE_MAGIC) return 'no block starts there';
  if (length < HEADER_BYTES || length > bytes.length - at) return 'it is cut off';
  return (crc32(bytes.subarray(at + 8, at + length)) | 0) === ints[1] ? null : 'its checksum does not match';
}

export function blockInfo(bytes: Uint8Array, at: number): BlockInfo {
  const ints = new Int32Array(bytes.buffer, bytes.byteOffset + at, 8);
  const floats = new Float64Array(bytes.buffer, bytes.byteOffset + at + 32, 5);
  return {
    firstSeq: floats[0]!,
    n: ints[3]!,
    length: ints[2]!,
    minTimestamp: floats[1]!,
    maxTimestamp: floats[2]!,
    minAppendTime: floats[3]!,
    maxAppendTime: floats[4]!,
    kept: ints[0] === SPARSE_MAGIC ? ints[7]! : ints[3]!,
  };
}

/**
 * The records of a run of stored blocks that follow each other in `bytes` (aligned to 8) and in the log, as one block.
 * Keys and values are not copied; columns are views when the run is one block, else copied once.
 */
export function blockOfRun(
  bytes: Uint8Array,
  topics: readonly string[],
  reused: ReusedColumns | null = null,
): RecordBlock {
  const { n, headers: withHeaders } = runInfo(bytes);
  const headers = withHeaders ? headersOfRun(bytes, n) : null;
  const ints = new Int32Array(bytes.buffer, bytes.byteOffset, 8);
  const [firstSeq = 0] = new Float64Array(bytes.buffer, bytes.byteOffset + 32, 1);
  if (ints[3] === n) {
    const payload = ints[5]!;
    const columns = columnsAt(bytes.buffer, bytes.byteOffset + HEADER_BYTES, n);
    return { firstSeq, n, bytes: bytes.subarray(payload, payload + ints[6]!), topics, ...columns, headers };
  }
  const columns = reused?.of(n) ?? newColumns(n);
  columnsOfRun(bytes, columns);
  return { firstSeq, n, bytes, topics, ...columns, headers };
}

/** How many records a run has, and whether any has headers. */
export function runInfo(bytes: Uint8Array): { readonly n: number; readonly headers: boolean } {
  const ints = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  let n = 0;
  let headers = false;
  for (let at = 0; at < bytes.length; at += ints[(at >> 2) + 2]!) {
    n += ints[(at >> 2) + 3]!;
    headers ||= ints[(at >> 2) + 4]! > 0;
  }
  return { n, headers };
}

/** Copies the columns of a run of more than one block together; byte ranges are then those of the run. */
export function columnsOfRun(bytes: Uint8Array, columns: RecordColumns): void {
  const ints = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  const floats = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
  let i = 0;
  for (let at = 0; at < bytes.length; at += ints[(at >> 2) + 2]!) {
    const count = ints[(at >> 2) + 3]!;
    const shift = at + ints[(at >> 2) + 5]!;
    // making nine views costs more than copying a few numbers
    if (count < 24) copyFew(ints, floats, at, count, columns, i, shift);
    else copyColumns(columnsAt(bytes.buffer, bytes.byteOffset + at + HEADER_BYTES, count), columns, i, shift);
    i += count;
  }
}

function copyFew(
  ints: Int32Array,
  floats: Float64Array,
  at: number,
  n: number,
  to: ReturnType<typeof newColumns>,
  out: number,
  shift: number,
): void {
  const f = (at + HEADER_BYTES) >> 3;
  const k = (f + 3 * n) << 1;
  for (let i = 0; i < n; i++) {
    to.offset[out + i] = floats[f + i]!;
    to.timestamp[out + i] = floats[f + n + i]!;
    to.appendTime[out + i] = floats[f + 2 * n + i]!;
    to.topic[out + i] = ints[k + i]!;
    to.partition[out + i] = ints[k + n + i]!;
    const keyStart = ints[k + 2 * n + i]!;
    const valueStart = ints[k + 4 * n + i]!;
    to.keyStart[out + i] = keyStart < 0 ? -1 : keyStart + shift;
    to.keyEnd[out + i] = keyStart < 0 ? -1 : ints[k + 3 * n + i]! + shift;
    to.valueStart[out + i] = valueStart < 0 ? -1 : valueStart + shift;
    to.valueEnd[out + i] = valueStart < 0 ? -1 : ints[k + 5 * n + i]! + shift;
  }
}

/** The headers of the n records of a run. */
export function headersOfRun(bytes: Uint8Array, n: number): RecordBlock['headers'] {
  const ints = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  const headers = noHeaders(n);
  let i = 0;
  for (let at = 0; at < bytes.length; at += ints[(at >> 2) + 2]!) {
    const count = ints[(at >> 2) + 3]!;
    const length = ints[(at >> 2) + 4]!;
    if (length > 0) {
      const start = bytes.byteOffset + at + HEADER_BYTES + count * BYTES_PER_RECORD;
      readHeaderSection(Buffer.from(bytes.buffer, start, length), headers, i);
    }
    i += count;
  }
  return headers;
}
