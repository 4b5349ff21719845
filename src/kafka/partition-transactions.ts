import type { Kafka, Producer, RecordMetadata, Transaction } from 'kafkajs';
import type { PartitionTransaction, PartitionWriter, RecordPlace } from '../commands/command-partitions.ts';
import { MillraceError } from '../core/errors.ts';
import type { AppendRecord, EventLog } from '../log/event-log.ts';
import { messageOf } from './message.ts';
import { SENT_BYTES } from './sent-bytes.ts';
import type { SharedAdmin } from './shared-admin.ts';

export interface PartitionTransactionsOptions {
  readonly kafka: Kafka;
  /** one for all partitions: connections take their time when many partitions come at once */
  readonly admin: SharedAdmin;
  /** the group whose offset of the partition says what is handled */
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** topics that are written */
  readonly outputs: readonly string[];
  /** copy of them */
  readonly log: EventLog;
  readonly partitionOf: (key: Uint8Array | null, partitions: number) => number;
  /** offset before which the log has all that is committed */
  readonly reached: (topic: string, partition: number) => number | null;
  /** ms after which the log should have what the outputs hold */
  readonly patience: number;
  /** the log lacks for so long what earlier owners have committed */
  readonly behind: () => void;
}

/** ms: after it a transaction that nobody ends is aborted by the broker */
const TRANSACTION_TIMEOUT = 10_000;
/** ms */
const LOOK_EVERY = 3;

/**
 * One transactional producer for one input partition, by whichever node has it: whoever begins last is the only one who can
 * write. The order is what makes it exact: fence first, then ask what is committed, then wait until it is here.
 */
export class PartitionTransactions implements PartitionWriter {
  readonly maxBytes = SENT_BYTES;
  readonly #options: PartitionTransactionsOptions;
  #producer: Producer | null = null;

  constructor(options: PartitionTransactionsOptions) {
    this.#options = options;
  }

  async begin(signal: AbortSignal): Promise<number | null> {
    const { admin, kafka, group, topic, partition, outputs, reached, patience, behind } = this.#options;
    await this.close();
    const producer = kafka.producer({
      // without the group: of two groups that were given one topic by mistake, one at a time writes
      transactionalId: `millrace-commands-${topic}-${partition}`,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: TRANSACTION_TIMEOUT,
      allowAutoTopicCreation: false,
    });
    this.#producer = producer;
    await producer.connect();
    // connecting fences nobody, the first transaction does
    await (await producer.transaction()).abort();
    const [[committed], ends] = await admin.ask(asked =>
      Promise.all([
        asked.fetchOffsets({ groupId: group, topics: [topic] }),
        Promise.all(outputs.map(async output => ({ output, ends: await asked.fetchTopicOffsets(output) }))),
      ]),
    );
    const offset = Number(committed?.partitions.find(p => p.partition === partition)?.offset ?? -1);
    const patient = performance.now() + patience; // with all of them
    for (const { output, ends: of } of ends) {
      for (const { partition: p, high } of of) {
        while ((reached(output, p) ?? -1) < Number(high)) {
          signal.throwIfAborted();
          if (performance.now() > patient) behind();
          await new Promise(resolve => setTimeout(resolve, LOOK_EVERY));
        }
      }
    }
    return offset < 0 ? null : offset;
  }

  async commit({ records, results, next }: PartitionTransaction): Promise<void> {
    const { group, topic, partition } = this.#options;
    const transaction = await this.#open().transaction();
    const places = await this.#send(transaction, records);
    await this.#send(transaction, results(places));
    await transaction.sendOffsets({
      consumerGroupId: group,
      topics: [{ topic, partitions: [{ partition, offset: String(next) }] }],
    });
    await transaction.commit();
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.disconnect().catch(() => {});
  }

  #open(): Producer {
    if (this.#producer === null) throw new Error('the partition was not begun');
    return this.#producer;
  }

  /** Where each record was written. */
  async #send(transaction: Transaction, records: readonly AppendRecord[]): Promise<RecordPlace[]> {
    if (records.length === 0) return [];
    const { log, partitionOf } = this.#options;
    const placed = records.map(record => {
      const partitions = log.topic(record.topic)?.partitions ?? 1;
      return { record, partition: record.partition ?? partitionOf(record.key, partitions) };
    });
    const answers = await transaction.sendBatch({
      acks: -1,
      topicMessages: [...Map.groupBy(placed, p => p.record.topic)].map(([topic, of]) => ({
        topic,
        messages: of.map(({ record, partition }) => messageOf(record, partition)),
      })),
    });
    const bases = new Map(answers.map(a => [`${a.topicName}/${a.partition}`, baseOffset(a)]));
    return placed.map(({ record: { topic }, partition }) => {
      const id = `${topic}/${partition}`;
      const offset = bases.get(id);
      if (offset === undefined)
        throw new MillraceError('log_write_failed', `Kafka does not say where ${id} is`);
      bases.set(id, offset + 1);
      return { topic, partition, offset };
    });
  }
}

function baseOffset({ baseOffset: base, topicName, partition }: RecordMetadata): number {
  const offset = Number(base ?? -1);
  if (offset >= 0) return offset;
  throw new MillraceError('log_write_failed', `Kafka does not say where ${topicName}/${partition} is`);
}
