/** A record as the log keeps it. Bytes are owned by the reader of the record and must not be changed. */
export interface LogRecord {
  /** global sequence number, from 0, without gaps */
  readonly seq: number;
  readonly topic: string;
  readonly partition: number;
  /** position within the partition, from 0 */
  readonly offset: number;
  /** event time, ms since the epoch */
  readonly timestamp: number;
  /** when the batch that carries the record was appended, ms; never decreases along the log */
  readonly appendTime: number;
  readonly key: Uint8Array | null;
  /** null is a tombstone */
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
}

export interface Header {
  readonly name: string;
  readonly value: Uint8Array | null;
}

/**
 * Consecutive records of the log in columns, so that a scan makes no object per record.
 * Record i has sequence `firstSeq + i`. Ranges point into `bytes`; a start of -1 means null.
 * A *tick* is a record of the reserved topic {@link TICK_TOPIC} with neither key nor value: it only moves the clock.
 */
export interface RecordBlock {
  readonly firstSeq: number;
  readonly n: number;
  readonly bytes: Uint8Array;
  /** names that `topic` indexes */
  readonly topics: readonly string[];
  readonly topic: Int32Array;
  readonly partition: Int32Array;
  readonly offset: Float64Array;
  readonly timestamp: Float64Array;
  readonly appendTime: Float64Array;
  readonly keyStart: Int32Array;
  readonly keyEnd: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  /** headers of record i, or null when no record of the block has any */
  readonly headers: readonly (readonly Header[])[] | null;
  /** what the thread that has read the block ahead put beside it */
  readonly beside?: SharedBytes | undefined;
}

/** Something that begins at `at` in memory that threads share. */
export interface SharedBytes {
  readonly buffer: ArrayBufferLike;
  readonly at: number;
}

export const TICK_TOPIC = '$tick';

/** Header of records that a view wrote into its topic (value: the view's name): the view does not read them again. */
export const WRITTEN_BY = 'millrace-view';

/** The indices of a topic's records in a block, into `indices`; how many they are. A loop of its own, which is compiled once. */
export function recordsOfTopic({ topics, topic, n }: RecordBlock, name: string, indices: Int32Array): number {
  const id = topics.indexOf(name);
  let count = 0;
  for (let i = 0; i < n; i++) if (topic[i] === id) indices[count++] = i;
  return count;
}

/** Copies record i out of a block. */
export function recordAt(block: RecordBlock, i: number): LogRecord {
  const keyStart = block.keyStart[i] ?? -1;
  const valueStart = block.valueStart[i] ?? -1;
  return {
    seq: block.firstSeq + i,
    topic: block.topics[block.topic[i] ?? -1] ?? '',
    partition: block.partition[i] ?? 0,
    offset: block.offset[i] ?? 0,
    timestamp: block.timestamp[i] ?? 0,
    appendTime: block.appendTime[i] ?? 0,
    key: keyStart < 0 ? null : block.bytes.slice(keyStart, block.keyEnd[i]),
    value: valueStart < 0 ? null : block.bytes.slice(valueStart, block.valueEnd[i]),
    headers: block.headers?.[i] ?? [],
  };
}
