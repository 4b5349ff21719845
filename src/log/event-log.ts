import type { LogIdentity } from '../core/log-identity.ts';
import type { Header, LogRecord, RecordBlock } from '../core/log-record.ts';

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** keep an index by key, written in the append's own transaction */
  readonly keyIndex: boolean;
  /** its records come from elsewhere and bring their offsets, which may leave some out: see `replicateTopic` */
  readonly replicated?: true | undefined;
}

export interface TopicInfo extends TopicSpec {
  /** next offset per partition */
  readonly ends: readonly number[];
  /** records ever appended */
  readonly records: number;
  /** what upkeep has taken from the topic; not there when nothing was */
  readonly floor?: TopicFloor;
}

/** What upkeep has taken from a topic. */
export interface TopicFloor {
  /** records with a lower sequence are gone */
  readonly floor: number;
  /** append time of the first record of the log that is not below it, ms */
  readonly since: number;
  /** first offset kept, per partition */
  readonly starts: readonly number[];
  /** below this sequence a key has its last record only; 0: not compacted */
  readonly compacted: number;
}

/** What was taken from a topic, when and on whose word: it stays in the log. */
export interface LogAct {
  /** from 1 */
  readonly n: number;
  /** ms */
  readonly at: number;
  readonly by: string;
  readonly kind: 'trim' | 'retention' | 'compact';
  readonly topic: string;
  /** it concerned records of the topic below this sequence */
  readonly before: number;
  /** views that could be rebuilt exactly until then, and were known to lose that */
  readonly incomplete: readonly string[];
}

export interface TrimOrder {
  readonly topic: string;
  /** records of the topic below this sequence go */
  readonly before: number;
  readonly by: string;
  readonly kind?: 'trim' | 'retention' | undefined;
  readonly incomplete?: readonly string[] | undefined;
}

export interface CompactOrder {
  readonly topic: string;
  /** records of the topic below this sequence go when a later one below it has the same key; null keys stay */
  readonly before: number;
  readonly by: string;
  readonly incomplete?: readonly string[] | undefined;
  /** tombstones below this sequence go too, once an earlier compaction has left nothing else of their key */
  readonly tombstonesBefore?: number | undefined;
}

/** An act of upkeep that is durable: what it takes is not read any more. */
export interface ActDone {
  readonly act: LogAct;
  /** resolves when the room of what was taken is free again; rejects when that has to wait for the next opening */
  readonly reclaimed: Promise<void>;
}

/** Room that is being freed. */
export interface UpkeepUnderWay {
  readonly kind: 'trim' | 'compact';
  readonly topic: string;
  /** 0..1 */
  readonly fraction: number;
}

export interface AppendRecord {
  readonly topic: string;
  /** without it the key decides (murmur2, as Kafka); a null key goes to partition 0 */
  readonly partition?: number | undefined;
  /** of a record of a replicated topic, at least the partition's end; others get theirs here */
  readonly offset?: number | undefined;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** event time, ms; without it the append time */
  readonly timestamp?: number | undefined;
  readonly headers?: readonly Header[] | undefined;
}

/** One atomic append: all of it becomes durable together or not at all. */
export interface Append {
  readonly records: readonly AppendRecord[];
  /** positions of handlers to set in the same transaction */
  readonly positions?: readonly HandlerPosition[] | undefined;
  /** simulated append time (sample history); ignored when it would go backwards */
  readonly appendTime?: number | undefined;
}

export interface HandlerPosition {
  readonly handler: string;
  readonly seq: number;
}

export interface AppendedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly seq: number;
}

export interface Appended {
  readonly records: readonly AppendedRecord[];
  /** the position after the append: its last sequence + 1 */
  readonly end: number;
  readonly appendTime: number;
  /** resolves when the append is durable, rejects with `log_write_failed` or `disk_full` when it never will be */
  readonly durable: Promise<void>;
}

/** What a worker thread may do with the log of the main thread. Sees flushed records only. */
export interface LogReader extends LogIdentity {
  /** first sequence still kept, of any topic */
  start(): number;
  /** sequence after the last durable record */
  end(): number;
  /**
   * Blocks covering [from, to) in order, cut at about `maxRecords` each; `from` is clipped to start(), `to` to end().
   * A record that upkeep has taken reads as a tick at its append time, so that the clock moves as it did.
   */
  read(from: number, to?: number, maxRecords?: number): Iterable<RecordBlock>;
  /**
   * The same for who has done with a block before it asks this reader for the next: memory of blocks that were given out
   * by `scan` is used again, so that a long replay makes no garbage.
   */
  scan(from: number, to?: number, maxRecords?: number): Iterable<RecordBlock>;
  topics(): readonly TopicInfo[];
  topic(name: string): TopicInfo | null;
  close(): Promise<void>;
}

/** A long scan of a log, step by step. */
export interface BlockScan {
  /** The next records from a sequence on, about so many; null at the end. They stand until the next call. */
  next(from: number, maxRecords: number): RecordBlock | null;
  close(): void;
}

/** The log: its only writer lives in the main thread. */
export interface EventLog extends LogReader {
  /** Creates a topic, or finds it; `topic_exists` when the settings differ, `invalid_topic` for a bad name. */
  createTopic(spec: TopicSpec): TopicInfo;
  /**
   * Creates a topic whose records are copies of another system's, or finds it; it grows to that many partitions. A topic
   * without records becomes one; `topic_exists` when it holds records of its own, or more partitions.
   */
  replicateTopic(name: string, partitions: number): TopicInfo;
  /**
   * Assigns sequences at once, in call order; becomes durable with the next group commit. Throws `topic_protected` for a
   * record without offset of a replicated topic, `invalid_argument` for an offset of any other. Throws `overloaded` while too
   * much waits for the disk; never for an append that sets a position: a handler is held back by what it reads.
   */
  append(append: Append): Appended;
  /** The last record of a key in a topic with key index; sees accepted appends too, durable or not. */
  lastByKey(topic: string, key: Uint8Array): LogRecord | null;
  /** Records of a key in a topic with key index, in order, from a sequence; sees accepted appends too. */
  byKey(topic: string, key: Uint8Array, fromSeq?: number, limit?: number): LogRecord[];
  /** Records of one topic (partition) by offset; for browsing, not for scans. */
  readTopic(topic: string, options: { partition?: number; fromOffset?: number; limit: number }): LogRecord[];
  /** The last `limit` records of a topic over all partitions, in order of sequence. */
  lastRecords(topic: string, limit: number): LogRecord[];
  /** null: beyond the end, or taken by upkeep */
  record(seq: number): LogRecord | null;
  /** first sequence whose append time is >= ms, or end() */
  seqAtTime(ms: number): number;
  /** the durable or accepted position of a handler, null when it never ran */
  position(handler: string): number | null;
  /** Writes a tick: moves the clock of the log without a record of a user. */
  tick(appendTime: number): Appended;
  /** append time of the last accepted append; 0 when the log is empty */
  lastAppendTime(): number;
  /** Called with the new end() after each group commit. Returns how to stop. */
  onFlushed(listener: (end: number) => void): () => void;
  /**
   * Called before a group commit is closed: what is appended then still belongs to it. A log that makes every append
   * durable at once never calls it. Returns how to stop.
   */
  beforeCommit(listener: () => void): () => void;
  /** Rewrites the tail into sealed segment files. Same bytes, sequences, times. */
  seal(): Promise<void>;
  /**
   * Takes the records of a topic below a sequence. Whether views or handlers still want them is for the caller to know.
   * Throws `invalid_argument` for a sequence beyond the end.
   */
  trim(order: TrimOrder): Promise<ActDone>;
  /** Takes the records of a topic that a later one of the same key replaces. The records that stay keep their places. */
  compact(order: CompactOrder): Promise<ActDone>;
  /** acts of upkeep, oldest first */
  acts(): readonly LogAct[];
  upkeep(): UpkeepUnderWay | null;
  /** first sequence of a topic such that the sealed records from it on take at most this many bytes; 0 when all do */
  seqAtSize(topic: string, bytes: number): Promise<number>;
  /** Per partition the first offset whose record has at least this sequence; its end where there is none. */
  offsetsAt(topic: string, seq: number): readonly number[];
  /** The first sequence whose record in this partition has at least this offset, or end(). */
  seqAtOffset(topic: string, partition: number, offset: number): number;
  /** what recovery found and did at opening, for the operator */
  readonly recovery: readonly string[];
}
