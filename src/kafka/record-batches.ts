import type { Header } from '../core/log-record.ts';
import type { AppendRecord } from '../log/event-log.ts';
import { decompress } from './compression.ts';

/** A record of Kafka, as the log takes it. */
export interface SourceRecord extends AppendRecord {
  readonly partition: number;
  readonly offset: number;
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

export interface BatchesOf {
  readonly topic: string;
  readonly partition: number;
  /** records before it are left out: a batch is sent whole */
  readonly from: number;
  /** of the fetched range, as the broker tells them */
  readonly aborted: readonly AbortedTransaction[];
}

export interface CommittedRecords {
  readonly records: SourceRecord[];
  /** where the next fetch goes on: markers and aborted records count too */
  readonly next: number;
}

const BATCH_HEADER = 61;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const NO_TIMESTAMP = -1;

/**
 * Reads record batches (format 2, the only one that Kafka 4 sends); the last one may be cut off. Records of aborted
 * transactions and markers are left out, as the Java consumer does it: a producer is aborted from the first offset of its
 * transaction until its abort marker. The bytes of the records are views into `bytes`, or into what was decompressed.
 */
export function committedRecords(bytes: Buffer, of: BatchesOf): CommittedRecords {
  const records: SourceRecord[] = [];
  const pending = [...of.aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const abortedProducers = new Set<bigint>();
  let next = of.from;
  let nextAborted = 0;
  for (let at = 0; at + BATCH_HEADER <= bytes.length; ) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    const magic = bytes[at + 16];
    if (magic !== 2) throw new Error(`record batches of format ${magic} are not read`);
    const base = Number(bytes.readBigInt64BE(at));
    const attributes = bytes.readInt16BE(at + 21);
    const last = base + bytes.readInt32BE(at + 23);
    const producer = bytes.readBigInt64BE(at + 43);
    while (nextAborted < pending.length && pending[nextAborted]!.firstOffset <= last) {
      abortedProducers.add(pending[nextAborted++]!.producerId);
    }
    if ((attributes & CONTROL) !== 0) {
      if (isAbortMarker(bytes, at)) abortedProducers.delete(producer);
    } else if ((attributes & TRANSACTIONAL) === 0 || !abortedProducers.has(producer)) {
      readBatch(bytes.subarray(at, end), of, records);
    }
    next = Math.max(next, last + 1);
    at = end;
  }
  return { records, next };
}

/** Markers are single records, not compressed; the key is version, type: 0 abort, 1 commit. */
function isAbortMarker(bytes: Buffer, batch: number): boolean {
  const cursor = new Varints(bytes, batch + BATCH_HEADER);
  cursor.next(); // length
  cursor.at++; // attributes
  cursor.next(); // timestamp
  cursor.next(); // offset
  cursor.next(); // length of the key
  return bytes.readInt16BE(cursor.at + 2) === 0;
}

function readBatch(batch: Buffer, of: BatchesOf, records: SourceRecord[]): void {
  const { topic, partition, from } = of;
  const base = Number(batch.readBigInt64BE(0));
  const attributes = batch.readInt16BE(21);
  const firstTimestamp = Number(batch.readBigInt64BE(27));
  const maxTimestamp = Number(batch.readBigInt64BE(35));
  const count = batch.readInt32BE(57);
  const byAppend = (attributes & 0x08) !== 0;
  const plain = decompress(attributes & 7, batch.subarray(BATCH_HEADER));
  const payload = Buffer.from(plain.buffer, plain.byteOffset, plain.length);
  const cursor = new Varints(payload, 0);
  for (let i = 0; i < count; i++) {
    const end = cursor.next() + cursor.at;
    cursor.at++; // attributes
    const timestamp = byAppend ? maxTimestamp : firstTimestamp + cursor.next();
    if (byAppend) cursor.next();
    const offset = base + cursor.next();
    const key = cursor.bytes();
    const value = cursor.bytes();
    const headers = readHeaders(cursor);
    cursor.at = end;
    if (offset < from) continue;
    records.push({
      topic,
      partition,
      offset,
      key,
      value,
      timestamp: timestamp === NO_TIMESTAMP ? undefined : timestamp,
      headers,
    });
  }
}

function readHeaders(cursor: Varints): readonly Header[] | undefined {
  const count = cursor.next();
  if (count <= 0) return undefined;
  const headers: Header[] = [];
  for (let i = 0; i < count; i++) {
    const name = cursor.bytes();
    headers.push({ name: Buffer.from(name ?? []).toString(), value: cursor.bytes() });
  }
  return headers;
}

/** Zigzag varints, of up to 64 bits: beyond 2^53 they lose digits, which no offset, length or time of a record reaches. */
class Varints {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  next(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++]!;
    let value = byte & 0x7f;
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      byte = bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** after its length; -1 is null */
  bytes(): Uint8Array | null {
    const length = this.next();
    if (length < 0) return null;
    const start = this.at;
    this.at += length;
    return this.#bytes.subarray(start, this.at);
  }
}
