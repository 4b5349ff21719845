import type { Clock } from '../core/clock.ts';
import type { LogAncestor } from '../core/log-identity.ts';
import type { LogRecord, RecordBlock } from '../core/log-record.ts';
import type {
  ActDone,
  Append,
  Appended,
  CompactOrder,
  EventLog,
  LogAct,
  TopicInfo,
  TopicSpec,
  TrimOrder,
} from './event-log.ts';
import { keyText, requireKeyIndex } from './key-index.ts';
import type { Accepted, TopicState } from './log-head.ts';
import { appendedOf, LogHead, topicInfo } from './log-head.ts';
import { randomLogId } from './log-id.ts';
import type { LogLimits } from './log-limits.ts';
import { DEFAULT_LOG_LIMITS } from './log-limits.ts';
import { MemoryUpkeep } from './memory-upkeep.ts';
import { blockOf, MAX_READ_RECORDS } from './record-block.ts';

export interface MemoryLogOptions {
  readonly clock: Clock;
  /** `[A-Za-z0-9_]`; random when not given */
  readonly id?: string | undefined;
  readonly ancestors?: readonly LogAncestor[] | undefined;
  readonly limits?: Partial<LogLimits> | undefined;
}

export function createMemoryLog(options: MemoryLogOptions): EventLog {
  return new MemoryLog(options);
}

/** The log without a disk: an append is durable as soon as it is accepted; listeners hear of it a microtask later. */
class MemoryLog implements EventLog {
  readonly id: string;
  readonly ancestors: readonly LogAncestor[];
  readonly recovery: readonly string[] = [];
  readonly #head: LogHead;
  readonly #records: LogRecord[] = [];
  /** sequences of each topic with key index, by key */
  readonly #byKey = new Map<string, Map<string, number[]>>();
  readonly #positions = new Map<string, number>();
  readonly #listeners = new Set<(end: number) => void>();
  readonly #upkeep: MemoryUpkeep;
  #flushing: Promise<void> | null = null;

  constructor(options: MemoryLogOptions) {
    this.id = options.id ?? randomLogId();
    this.ancestors = options.ancestors ?? [];
    this.#head = new LogHead(options.clock, { ...DEFAULT_LOG_LIMITS, ...options.limits });
    this.#upkeep = new MemoryUpkeep(this.#records, options.clock);
  }

  createTopic(spec: TopicSpec): TopicInfo {
    const { topic, created } = this.#head.createTopic(spec);
    if (created && spec.keyIndex) this.#byKey.set(spec.name, new Map());
    return topicInfo(topic);
  }

  replicateTopic(name: string, partitions: number): TopicInfo {
    return topicInfo(this.#head.replicateTopic(name, partitions).topic);
  }

  append(append: Append): Appended {
    const accepted = this.#head.accept(append);
    for (const [i, record] of append.records.entries()) {
      const { topic, partition, offset, seq } = accepted.records[i]!;
      const key = copied(record.key);
      this.#records.push({
        seq,
        topic,
        partition,
        offset,
        timestamp: record.timestamp ?? accepted.appendTime,
        appendTime: accepted.appendTime,
        key,
        value: copied(record.value),
        headers: (record.headers ?? []).map(h => ({ name: h.name, value: copied(h.value) })),
      });
      if (key !== null) this.#index(topic, key, seq);
    }
    for (const { handler, seq } of append.positions ?? []) this.#positions.set(handler, seq);
    return this.#appended(accepted);
  }

  tick(appendTime: number): Appended {
    const accepted = this.#head.acceptTick(appendTime);
    this.#records.push({
      ...accepted.records[0]!,
      timestamp: accepted.appendTime,
      appendTime: accepted.appendTime,
      key: null,
      value: null,
      headers: [],
    });
    return this.#appended(accepted);
  }

  start(): number {
    return this.#upkeep.start;
  }

  end(): number {
    return this.#records.length;
  }

  scan(from: number, to?: number, maxRecords?: number): Iterable<RecordBlock> {
    return this.read(from, to, maxRecords);
  }

  *read(from: number, to = this.end(), maxRecords = MAX_READ_RECORDS): Generator<RecordBlock> {
    const end = Math.min(to, this.end());
    for (let at = Math.max(this.start(), from); at < end; at += maxRecords) {
      yield blockOf(this.#records.slice(at, Math.min(end, at + maxRecords)));
    }
  }

  topics(): readonly TopicInfo[] {
    return this.#head.states().map(topic => topicInfo(topic, this.#upkeep.floor(topic.spec.name)));
  }

  topic(name: string): TopicInfo | null {
    const topic = this.#head.topic(name);
    return topic === null ? null : topicInfo(topic, this.#upkeep.floor(name));
  }

  lastByKey(topic: string, key: Uint8Array): LogRecord | null {
    const seq = this.#kept(topic, key).at(-1);
    return seq === undefined ? null : this.record(seq);
  }

  byKey(topic: string, key: Uint8Array, fromSeq = 0, limit = Number.POSITIVE_INFINITY): LogRecord[] {
    return this.#kept(topic, key)
      .filter(seq => seq >= fromSeq)
      .slice(0, limit)
      .map(seq => this.#records[seq]!);
  }

  readTopic(topic: string, options: { partition?: number; fromOffset?: number; limit: number }): LogRecord[] {
    const { partition, fromOffset = 0, limit } = options;
    return this.#ofTopic(this.#head.knownTopic(topic))
      .filter(r => r.offset >= fromOffset && (partition === undefined || r.partition === partition))
      .take(limit)
      .toArray();
  }

  lastRecords(topic: string, limit: number): LogRecord[] {
    const records = this.#ofTopic(this.#head.knownTopic(topic)).toArray();
    return limit <= 0 ? [] : records.slice(-limit);
  }

  record(seq: number): LogRecord | null {
    const record = this.#records[seq];
    return record === undefined || record.partition < 0 ? null : record;
  }

  seqAtTime(ms: number): number {
    const seq = this.#records.findIndex(r => r.seq >= this.start() && r.appendTime >= ms);
    return seq < 0 ? this.end() : seq;
  }

  position(handler: string): number | null {
    return this.#positions.get(handler) ?? null;
  }

  lastAppendTime(): number {
    return this.#head.lastAppendTime;
  }

  beforeCommit(): () => void {
    return () => {};
  }

  onFlushed(listener: (end: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async seal(): Promise<void> {}

  async trim(order: TrimOrder): Promise<ActDone> {
    return this.#upkeep.trim(order, this.#head.knownTopic(order.topic));
  }

  async compact(order: CompactOrder): Promise<ActDone> {
    return this.#upkeep.compact(order, this.#head.knownTopic(order.topic));
  }

  acts(): readonly LogAct[] {
    return [...this.#upkeep.acts];
  }

  upkeep(): null {
    return null;
  }

  async seqAtSize(topic: string, bytes: number): Promise<number> {
    let left = bytes;
    for (const r of this.#ofTopic(this.#head.knownTopic(topic)).toArray().reverse()) {
      left -= 48 + (r.key?.length ?? 0) + (r.value?.length ?? 0);
      if (left < 0) return r.seq + 1;
    }
    return 0;
  }

  offsetsAt(topic: string, seq: number): readonly number[] {
    const state = this.#head.knownTopic(topic);
    const later = this.#ofTopic(state)
      .filter(r => r.seq >= seq)
      .toArray();
    return state.ends.map((end, p) => later.find(r => r.partition === p)?.offset ?? end);
  }

  seqAtOffset(topic: string, partition: number, offset: number): number {
    return this.readTopic(topic, { partition, fromOffset: offset, limit: 1 })[0]?.seq ?? this.end();
  }

  async close(): Promise<void> {
    await this.#flushing;
    this.#listeners.clear();
  }

  #appended(accepted: Accepted): Appended {
    this.#flushing ??= Promise.resolve().then(() => {
      this.#flushing = null;
      for (const listener of this.#listeners) listener(this.end());
    });
    return appendedOf(accepted, this.#flushing);
  }

  #index(topic: string, key: Uint8Array, seq: number): void {
    const index = this.#byKey.get(topic);
    if (index === undefined) return;
    const text = keyText(key);
    const sequences = index.get(text);
    if (sequences === undefined) index.set(text, [seq]);
    else sequences.push(seq);
  }

  #sequences(topic: string, key: Uint8Array): readonly number[] {
    requireKeyIndex(this.#head.knownTopic(topic));
    return this.#byKey.get(topic)?.get(keyText(key)) ?? [];
  }

  #kept(topic: string, key: Uint8Array): readonly number[] {
    return this.#sequences(topic, key).filter(seq => this.record(seq) !== null);
  }

  #ofTopic(topic: TopicState): IteratorObject<LogRecord> {
    return this.#records.values().filter(r => r.topic === topic.spec.name);
  }
}

/** Not `slice`: that of a Buffer shares its bytes. */
function copied(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : new Uint8Array(bytes);
}
