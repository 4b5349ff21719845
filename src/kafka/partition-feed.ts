import { assert } from '../core/assert.ts';
import type { LogRecord } from '../core/log-record.ts';
import type { FetchedPartition } from './fetch-response.ts';
import { committedRecords, type SourceRecord } from './record-batches.ts';

interface Chunk {
  readonly records: readonly SourceRecord[];
  at: number;
  readonly bytes: number;
}

/** bytes that a record takes beside its key and value, about */
const PER_RECORD = 160;

/** What was fetched of one partition and is not in the log yet. */
export class PartitionFeed {
  readonly topic: string;
  readonly partition: number;
  /** `topic/partition` */
  readonly id: string;
  /** node that leads the partition, -1: none */
  leader = -1;
  /** offset of the next fetch */
  next: number;
  /** offset after the last record that went to the log: there the log must end */
  appended: number;
  /** end of what is committed in Kafka, as far as known; null: not known, which counts as behind */
  stable: number | null = null;
  /** ms: since when nothing can be learned of it; null: it can */
  awaySince: number | null;
  /** records that were taken and are not in the log */
  inHand = 0;
  /** nothing is fetched while it is found out where to go on */
  astray = false;
  /** why the last answer could not be used; null: it could */
  problem: string | null = null;
  /** nothing is fetched until the next look at the cluster: the other partitions go on */
  resting = false;
  /** the log's last record, until it was found in Kafka again */
  #last: LogRecord | null;
  readonly #chunks: Chunk[] = [];
  #bytes = 0;

  constructor(at: {
    readonly topic: string;
    readonly partition: number;
    readonly end: number;
    readonly last: LogRecord | null;
    /** ms: nothing is known of it since then */
    readonly now: number;
  }) {
    this.id = `${at.topic}/${at.partition}`;
    this.topic = at.topic;
    this.partition = at.partition;
    this.appended = at.end;
    this.awaySince = at.now;
    this.#last = at.last;
    this.next = at.last === null ? at.end : at.last.offset;
  }

  /** bytes in memory */
  get bytes(): number {
    return this.#bytes;
  }

  /** Kafka has more than was fetched, or may have. */
  get behind(): boolean {
    return this.stable === null || this.next < this.stable;
  }

  get head(): SourceRecord | undefined {
    const chunk = this.#chunks[0];
    return chunk?.records[chunk.at];
  }

  /** records of Kafka, and numbers of markers, that are not in the log; null: not known */
  get lag(): number | null {
    const waiting = this.head;
    if (this.stable === null) return null;
    return Math.max(0, this.stable - (waiting === undefined ? this.next : waiting.offset));
  }

  /** Takes what a broker has answered. Says how the log's last record differs from Kafka's, if it does. */
  fill(fetched: FetchedPartition): { readonly changed: number | null } {
    const { records, next } = committedRecords(fetched.batches, {
      topic: this.topic,
      partition: this.partition,
      from: this.next,
      aborted: fetched.aborted,
    });
    this.next = next;
    this.problem = null;
    this.stable = fetched.lastStable;
    this.awaySince = null;
    let changed: number | null = null;
    if (this.#last !== null && (records.length > 0 || next > this.#last.offset)) {
      const again = records[0]?.offset === this.#last.offset ? records.shift() : undefined;
      if (again !== undefined && !sameRecord(again, this.#last)) changed = this.#last.offset;
      this.#last = null;
    }
    if (records.length > 0) {
      let bytes = records.length * PER_RECORD;
      for (const r of records) bytes += (r.key?.length ?? 0) + (r.value?.length ?? 0);
      this.#chunks.push({ records, at: 0, bytes });
      this.#bytes += bytes;
    }
    return { changed };
  }

  /** offset before which the log has all that is committed */
  get reached(): number {
    if (this.inHand > 0) return this.appended;
    return this.head?.offset ?? this.next;
  }

  /** Removes the head. */
  take(): SourceRecord {
    const chunk = this.#chunks[0];
    const record = chunk?.records[chunk.at];
    assert(chunk !== undefined && record !== undefined, 'a feed without a head gives nothing');
    chunk.at++;
    this.inHand++;
    if (chunk.at === chunk.records.length) {
      this.#chunks.shift();
      this.#bytes -= chunk.bytes;
    }
    return record;
  }

  /** What was known of it is old, since then. */
  forget(now: number): void {
    this.stable = null;
    this.awaySince ??= now;
  }

  /** Nothing was found there: the next fetch begins elsewhere, and the log's last record is not looked for. */
  continueAt(offset: number): void {
    this.next = offset;
    this.#last = null;
  }
}

function sameRecord(a: SourceRecord, b: LogRecord): boolean {
  return (
    sameBytes(a.key, b.key) &&
    sameBytes(a.value, b.value) &&
    (a.timestamp === undefined || a.timestamp === b.timestamp)
  );
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}
