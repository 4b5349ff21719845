import { faultPoint } from '../../core/fault-points.ts';
import type { LogRecord } from '../../core/log-record.ts';
import type { AppendRecord } from '../event-log.ts';
import { keyText } from '../key-index.ts';
import type { Accepted, TopicState } from '../log-head.ts';
import { BlockBuilder } from './block-builder.ts';
import { encodeBlock } from './block-layout.ts';
import type { LogDatabase } from './log-environment.ts';
import { HEAD_KEY, numbers, offsetKey, positionKey, recordKey, tailKey, topicKey } from './log-keys.ts';
import { runStarts } from './offset-runs.ts';
import { BYTES_PER_RECORD } from './record-columns.ts';

/** A block of the tail is cut at about this many payload bytes. */
const TAIL_BLOCK_BYTES = 192 << 10;
const NOTHING: AppendRecord = { topic: '', key: null, value: null };

/**
 * The appends that one transaction makes durable together. It is also the index of what is accepted but not yet
 * durable, so that a handler reads its own writes at once.
 */
export class CommitGroup {
  readonly firstSeq: number;
  readonly durable: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly #builders: BlockBuilder[] = [];
  readonly #keys = new Map<TopicState, Map<string, number[]>>();
  readonly #topics = new Set<TopicState>();
  readonly #positions = new Map<string, number>();
  #end: number;
  #bytes = 0;
  #appends = 0;

  constructor(firstSeq: number) {
    this.firstSeq = firstSeq;
    this.#end = firstSeq;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.durable = promise;
    this.resolve = resolve;
    this.reject = reject;
    // whoever awaits it hears of the failure; one who does not must not end the process
    promise.catch(() => {});
  }

  /** sequence after the last record */
  get end(): number {
    return this.#end;
  }

  /** how many appends wait for it */
  get appends(): number {
    return this.#appends;
  }

  /** what the group holds in memory, about */
  get bytes(): number {
    return this.#bytes;
  }

  add(accepted: Accepted, records: readonly AppendRecord[] | null): void {
    this.#appends++;
    this.#bytes += accepted.bytes + accepted.topics.length * BYTES_PER_RECORD;
    for (let i = 0; i < accepted.topics.length; i++) {
      const topic = accepted.topics[i]!;
      const { partition, offset, seq } = accepted.records[i]!;
      const record = records?.[i] ?? NOTHING;
      this.#builder(seq).add({ record, topic: topic.id, partition, offset, appendTime: accepted.appendTime });
      this.#topics.add(topic);
      if (topic.spec.keyIndex && record.key !== null) this.#addKey(topic, record.key, seq);
      this.#end = seq + 1;
    }
  }

  addTopic(topic: TopicState): void {
    this.#topics.add(topic);
  }

  setPosition(handler: string, seq: number): void {
    this.#positions.set(handler, seq);
  }

  /** Sequences of a key in this group, in order. */
  sequencesOf(topic: TopicState, key: Uint8Array): readonly number[] {
    return this.#keys.get(topic)?.get(keyText(key)) ?? [];
  }

  record(seq: number, topics: readonly string[]): LogRecord | null {
    const builder = this.#builders.findLast(b => b.firstSeq <= seq);
    return builder === undefined || seq >= this.#end ? null : builder.record(seq, topics);
  }

  /** Hands all writes to LMDB; they are one transaction because they are made in one turn, inside one batch. */
  write(
    db: LogDatabase,
    head: { readonly lastAppendTime: number; readonly topics: number },
  ): Promise<boolean> {
    faultPoint('log.commit');
    return db.batch(() => {
      for (const builder of this.#builders) {
        const block = builder.block([]);
        void db.put(tailKey(builder.firstSeq), encodeBlock(block, 0, block.n));
        for (const start of runStarts(block)) {
          void db.put(offsetKey(start.topic, start.partition, start.offset), numbers(builder.firstSeq));
        }
      }
      for (const [topic, keys] of this.#keys) {
        for (const [key, seqs] of keys) {
          const bytes = Buffer.from(key, 'latin1');
          for (const seq of seqs) void db.put(recordKey(topic.id, bytes, seq), PRESENT);
        }
      }
      for (const [handler, seq] of this.#positions) void db.put(positionKey(handler), numbers(seq));
      for (const topic of this.#topics) void db.put(topicKey(topic.id), topicValue(topic));
      void db.put(HEAD_KEY, numbers(this.#end, head.lastAppendTime, head.topics));
    });
  }

  #builder(seq: number): BlockBuilder {
    const last = this.#builders.at(-1);
    if (last !== undefined && last.length < TAIL_BLOCK_BYTES && last.n < 4096) return last;
    const next = new BlockBuilder(seq);
    this.#builders.push(next);
    return next;
  }

  #addKey(topic: TopicState, key: Uint8Array, seq: number): void {
    let keys = this.#keys.get(topic);
    if (keys === undefined) {
      keys = new Map();
      this.#keys.set(topic, keys);
    }
    const text = keyText(key);
    const seqs = keys.get(text);
    if (seqs === undefined) keys.set(text, [seq]);
    else seqs.push(seq);
  }
}

const PRESENT = Buffer.from([1]);

function topicValue(topic: TopicState): Buffer {
  return Buffer.from(JSON.stringify({ ...topic.spec, ends: topic.ends, records: topic.records }));
}
