import { type LogRecord, recordAt } from '../core/log-record.ts';
import type { Appended, EventLog } from '../log/event-log.ts';

/** A command's record on its way to the handler. */
export interface Incoming<Prepared> {
  readonly seq: number;
  readonly partition: number;
  readonly offset: number;
  readonly appendTime: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** what the sender in this process has decoded already */
  readonly prepared: Prepared | null;
}

/**
 * The records of a commands topic in order of sequence, each once, from a handler's position on.
 * Records that this process appends come by `add` at once, before they are durable. Records of others are noticed by the
 * topic's count and read from the log when flushed; until then nothing behind them is given out, so none is passed over.
 */
export class CommandInbox<Prepared> {
  readonly #log: EventLog;
  readonly #topic: string;
  #queue: Incoming<Prepared>[] = [];
  /** records of the topic that were taken or stand in the queue */
  #known: number;
  /** everything before this sequence was read from the log or is known not to matter */
  #scanned: number;
  /** everything before this sequence was given out */
  #taken: number;

  /** Open while nothing is in flight: all records of the topic must be durable. */
  constructor(log: EventLog, topic: string, position: number) {
    this.#log = log;
    this.#topic = topic;
    this.#scanned = position;
    this.#taken = position;
    this.#known = Number.NEGATIVE_INFINITY;
    this.#scan();
    this.#known = log.topic(topic)?.records ?? 0;
  }

  get size(): number {
    return this.#queue.length;
  }

  add(appended: Appended, record: { key: Uint8Array; value: Uint8Array }, prepared: Prepared): void {
    const [place] = appended.records;
    if (!place) return;
    this.#known++;
    this.#queue.push({ ...place, ...record, appendTime: appended.appendTime, prepared });
  }

  /** The next records in order, at most `max`; none while records of others are awaited. */
  take(max: number): Incoming<Prepared>[] {
    if (this.#foreign()) {
      this.#scan();
      if (this.#foreign()) return [];
    }
    const items = this.#queue.splice(0, max);
    this.#taken = (items.at(-1)?.seq ?? this.#taken - 1) + 1;
    return items;
  }

  /** Moves the point from which the log is read for records of others. False, and not moved, while any are awaited. */
  passed(seq: number): boolean {
    if (this.#queue.length > 0 || this.#foreign()) return false;
    this.#scanned = Math.max(this.#scanned, seq);
    return true;
  }

  #foreign(): boolean {
    return (this.#log.topic(this.#topic)?.records ?? 0) > this.#known;
  }

  /** Reads what is flushed; own records keep what is decoded of them. */
  #scan(): void {
    const end = this.#log.end();
    const from = Math.max(this.#scanned, this.#taken);
    const read = this.#queue.filter(item => item.seq < from);
    const own = new Map(this.#queue.slice(read.length).map(item => [item.seq, item]));
    for (const block of this.#log.read(from, end)) {
      const topic = block.topics.indexOf(this.#topic);
      if (topic < 0) continue;
      for (let i = 0; i < block.n; i++) {
        if (block.topic[i] !== topic) continue;
        const seq = block.firstSeq + i;
        const item = own.get(seq) ?? foreign(recordAt(block, i));
        if (!own.delete(seq)) this.#known++;
        read.push(item);
      }
    }
    this.#queue = [...read, ...own.values()];
    this.#scanned = Math.max(from, end);
  }
}

function foreign<Prepared>(record: LogRecord): Incoming<Prepared> {
  return { ...record, prepared: null };
}
