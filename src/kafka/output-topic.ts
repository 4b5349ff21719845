import type { Kafka, Producer } from 'kafkajs';
import { commonEnd } from '../core/log-identity.ts';
import type { LogRecord } from '../core/log-record.ts';
import { recordBytes } from '../core/record-bytes.ts';
import type { EventLog } from '../log/event-log.ts';
import { createMissingTopics } from './command-topics.ts';
import { KafkaCluster } from './kafka-client.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { lastRecord } from './last-record.ts';
import { messageOf } from './message.ts';
import type { SourceRecord } from './record-batches.ts';
import { SENT_BYTES } from './sent-bytes.ts';
import { Signal } from './signal.ts';

export interface OutputTopicOptions {
  readonly kafka: Kafka;
  /** of the same cluster */
  readonly settings: KafkaSettings;
  readonly log: EventLog;
  /** a topic of the log, which gets the same name in Kafka */
  readonly topic: string;
  /** only the last record of a key counts: Kafka may compact it */
  readonly upsert: boolean;
  readonly onError: (error: unknown) => void;
}

export interface OutputStatus {
  readonly topic: string;
  readonly state: 'starting' | 'writing' | 'failing' | 'refused';
  /** why it does not write */
  readonly error: string | null;
  /** records of the log that Kafka has not; null: not known yet */
  readonly lag: number | null;
  /** records written since the start */
  readonly records: number;
}

/** where in a log the record stands: readers that keep it can tell a repetition */
const SOURCE = 'millrace-source';
/** of that header, about */
const SOURCE_BYTES = 100;
/** records of one transaction, of one partition */
const MAX_RECORDS = 1_000;
const READ_RECORDS = 100;
/** ms */
const TRANSACTION_TIMEOUT = 10_000;
const LOOK_AGAIN = 5_000;
const REMIND_AFTER = 86_400_000;
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;
/** failures in a row */
const TOLD_AFTER = 5;
const FENCED: readonly string[] = ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'];

/**
 * A topic of the log written to Kafka. Its records are exact already: each once, by the live version of the view alone. They
 * and how far they went are one transaction there: the offset of a group that is named after this log. So every record is
 * there once, whatever dies when.
 */
export class OutputTopic {
  readonly #options: OutputTopicOptions;
  readonly #group: string;
  readonly #flushed = new Signal();
  readonly #stopListening: () => void;
  readonly #done: Promise<void>;
  #producer: Producer | null = null;
  /** next offset of the log to write, per partition */
  #next: number[] | null = null;
  /** where the last transaction was to end: whether it was committed may not be known */
  #attempted: readonly number[] = [];
  /** by the machine's own time, ms: when the last transaction began */
  #begun = 0;
  #state: OutputStatus['state'] = 'starting';
  #error: string | null = null;
  #told: string | null = null;
  #failures = 0;
  #records = 0;
  #stopped = false;

  constructor(options: OutputTopicOptions) {
    this.#options = options;
    this.#group = `millrace-out-${options.log.id}`;
    this.#stopListening = options.log.onFlushed(() => this.#flushed.tell());
    this.#done = this.#run();
  }

  get status(): OutputStatus {
    const { log, topic } = this.#options;
    const ends = log.topic(topic)?.ends ?? [];
    const next = this.#next;
    const lag =
      next === null ? null : ends.reduce((sum, end, p) => sum + Math.max(0, end - (next[p] ?? 0)), 0);
    return { topic, state: this.#state, error: this.#error, lag, records: this.#records };
  }

  /** sequence of the first record that Kafka does not have yet */
  get position(): number {
    const { log, topic } = this.#options;
    return Math.min(log.end(), ...(this.#next ?? [0]).map((offset, p) => log.seqAtOffset(topic, p, offset)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening();
    this.#flushed.tell();
    await this.#done;
  }

  async #run(): Promise<void> {
    let pause = FIRST_PAUSE;
    while (!this.#stopped && this.#state !== 'refused') {
      try {
        await this.#begin();
        while (!this.#stopped) {
          if (await this.#write()) {
            pause = FIRST_PAUSE;
            continue;
          }
          await this.#remind();
          await this.#flushed.wait(LOOK_AGAIN);
        }
      } catch (error) {
        if (this.#stopped) break;
        this.#fail(error);
        await new Promise(resolve => setTimeout(resolve, pause));
        pause = Math.min(LONGEST_PAUSE, pause * 2);
      }
    }
    await this.#close();
  }

  #fail(error: unknown): void {
    const locked = FENCED.includes((error as { type?: string }).type ?? '');
    // the cluster locks out a transaction that takes too long, just as another writer does
    const late = performance.now() - this.#begun >= TRANSACTION_TIMEOUT;
    const fenced = locked && !late;
    this.#state = fenced || error instanceof Refusal ? 'refused' : 'failing';
    const text = error instanceof Error ? error.message : String(error);
    const told = fenced ? this.#anotherWrites().message : text;
    this.#failures++;
    // a cluster that elects leaders, or makes its first group, refuses for a moment
    const lasting = this.#state === 'refused' || this.#failures >= TOLD_AFTER;
    if (lasting && told !== this.#told) {
      this.#told = told;
      this.#options.onError(new Error(`output to Kafka: ${told}`, { cause: error }));
    }
    this.#error = told;
  }

  /** Asks how far this log was written, locks other writers out, and asks again: only then nobody moves it any more. */
  async #begin(): Promise<void> {
    const { kafka, log, topic, upsert } = this.#options;
    await this.#close();
    const partitions = log.topic(topic)?.partitions ?? 1;
    const config: Record<string, string> = upsert
      ? { 'cleanup.policy': 'compact' }
      : { 'retention.ms': '-1' };
    await createMissingTopics(kafka, [{ name: topic, partitions, config }]);
    // a node that may not write here must not stop the one that does
    this.#assertAlone(await this.#places(partitions));
    const producer = kafka.producer({
      transactionalId: `millrace-out-${topic}`,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: TRANSACTION_TIMEOUT,
      allowAutoTopicCreation: false,
    });
    this.#producer = producer;
    await producer.connect();
    this.#begun = performance.now();
    await (await producer.transaction()).abort();
    let next = await this.#places(partitions);
    this.#assertAlone(next);
    next = next.map(offset => Math.max(0, offset));
    await this.#tellOffsets(producer, next);
    this.#next = next;
    this.#state = 'writing';
    this.#error = null;
    this.#told = null;
    this.#failures = 0;
  }

  /** The place decides: whoever finds more than it has written itself is not the writer any more. */
  #assertAlone(places: readonly number[]): void {
    const own = this.#next;
    if (own === null) return;
    if (places.every((place, p) => place <= Math.max(own[p] ?? 0, this.#attempted[p] ?? 0))) return;
    throw this.#anotherWrites();
  }

  #anotherWrites(): Refusal {
    return new Refusal(
      `another node writes ${this.#options.topic}`,
      'this one writes no more until it is started again; stop the other one first',
    );
  }

  /** How far each partition is written, -1 where nothing is. Throws where the topic is somebody else's. */
  async #places(partitions: number): Promise<number[]> {
    const { kafka, topic } = this.#options;
    const admin = kafka.admin();
    await admin.connect();
    try {
      const ends = await admin.fetchTopicOffsets(topic);
      if (ends.length !== partitions) {
        throw new Refusal(
          `${topic} has ${ends.length} partitions in Kafka and ${partitions} here`,
          'delete the topic in Kafka and start again: it is made anew and filled; or name another topic in the view',
        );
      }
      const [committed] = await admin.fetchOffsets({ groupId: this.#group, topics: [topic] });
      const offsets = new Map(committed?.partitions.map(p => [p.partition, Number(p.offset)]));
      const next = Array.from({ length: partitions }, (_, p) => offsets.get(p) ?? -1);
      const used = ends.filter(end => Number(end.high) > 0).map(end => end.partition);
      return used.length === 0 ? next : await this.#checked(next, used);
    } finally {
      await admin.disconnect();
    }
  }

  /**
   * The last record of a partition tells who has written it, and how far: Kafka forgets offsets of an output that was not
   * running for a week, and a log that was restored has none there of its own.
   */
  async #checked(next: readonly number[], partitions: readonly number[]): Promise<number[]> {
    const { settings, topic } = this.#options;
    const cluster = new KafkaCluster(settings);
    const places = [...next];
    try {
      await cluster.connect();
      for (const partition of partitions) {
        const source = sourceOf(await lastRecord(cluster, topic, partition));
        const known = next[partition] ?? -1;
        if (source === null && known >= 0) continue; // deleted by age, or by hand
        places[partition] = Math.max(known, this.#continues(source, partition));
      }
    } finally {
      await cluster.close().catch(() => {});
    }
    return places;
  }

  /** The next offset of the log to write behind a record that is there. */
  #continues(source: Source | null, partition: number): number {
    const { log, topic } = this.#options;
    const common = source === null || source.partition !== partition ? null : commonEnd(log, source.log);
    if (source === null || common === null) {
      throw new Refusal(
        `${topic} has records in Kafka that this data folder has not written`,
        'delete the topic in Kafka and start again, or leave it to the node that writes it',
      );
    }
    const next = source.offset + 1;
    if (common < Number.POSITIVE_INFINITY && next > (log.offsetsAt(topic, common)[partition] ?? 0)) {
      throw new Refusal(
        `${topic} has records in Kafka that were written after the backup from which this log was restored`,
        'delete the topic in Kafka and start again: it is made anew and filled from the restored log',
      );
    }
    return next;
  }

  /** Kafka forgets offsets that are not told for a week: an output may have nothing to write for longer. */
  async #remind(): Promise<void> {
    if (this.#producer === null || this.#next === null) return;
    if (performance.now() - this.#begun < REMIND_AFTER) return;
    await this.#tellOffsets(this.#producer, this.#next);
  }

  async #tellOffsets(producer: Producer, next: readonly number[]): Promise<void> {
    this.#begun = performance.now();
    const transaction = await producer.transaction();
    await transaction.sendOffsets({ consumerGroupId: this.#group, topics: [this.#offsets(next)] });
    await transaction.commit();
  }

  /** One transaction with what the log has; false: nothing. */
  async #write(): Promise<boolean> {
    const { log, topic } = this.#options;
    const next = [...(this.#next ?? [])];
    const records: LogRecord[] = [];
    for (const [partition, fromOffset] of next.entries()) {
      const found = this.#waiting(partition, fromOffset);
      for (const record of found) records.push(record);
      next[partition] = (found.at(-1)?.offset ?? fromOffset - 1) + 1;
    }
    if (records.length === 0 || this.#producer === null) return false;
    this.#attempted = next;
    this.#begun = performance.now();
    const transaction = await this.#producer.transaction();
    await transaction.send({
      topic,
      acks: -1,
      messages: records.map(r => {
        const source = { name: SOURCE, value: Buffer.from(`${log.id}/${r.partition}/${r.offset}`) };
        return messageOf({ ...r, headers: [...r.headers, source] }, r.partition);
      }),
    });
    await transaction.sendOffsets({ consumerGroupId: this.#group, topics: [this.#offsets(next)] });
    await transaction.commit();
    this.#next = next;
    this.#records += records.length;
    return true;
  }

  /** What one transaction takes of a partition. */
  #waiting(partition: number, from: number): readonly LogRecord[] {
    const { log, topic } = this.#options;
    const records: LogRecord[] = [];
    let bytes = 0;
    for (let fromOffset = from; records.length < MAX_RECORDS; ) {
      const found = log.readTopic(topic, { partition, fromOffset, limit: READ_RECORDS });
      for (const record of found) {
        bytes += recordBytes(record) + SOURCE_BYTES;
        if (bytes > SENT_BYTES && records.length > 0) return records;
        records.push(record);
      }
      if (found.length < READ_RECORDS) break;
      fromOffset = found.at(-1)!.offset + 1;
    }
    return records;
  }

  #offsets(next: readonly number[]) {
    return {
      topic: this.#options.topic,
      partitions: next.map((offset, partition) => ({ partition, offset: String(offset) })),
    };
  }

  async #close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.disconnect().catch(() => {});
  }
}

/** Where in a log a record of Kafka comes from. */
interface Source {
  readonly log: string;
  readonly partition: number;
  readonly offset: number;
}

/** Null: no output has written the record, or there is none. */
function sourceOf(record: SourceRecord | null): Source | null {
  const header = record?.headers?.findLast(h => h.name === SOURCE)?.value ?? [];
  const [log = '', partition, offset] = Buffer.from(header).toString().split('/');
  const source = { log, partition: Number(partition), offset: Number(offset) };
  return Number.isSafeInteger(source.partition) && Number.isSafeInteger(source.offset) ? source : null;
}

/** Trying again would not help. */
class Refusal extends Error {
  constructor(what: string, hint: string) {
    super(`${what}: ${hint}`);
  }
}
