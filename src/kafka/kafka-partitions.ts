import type { Consumer, Producer } from 'kafkajs';
import type { CommandPartitions, PartitionWriter } from '../commands/command-partitions.ts';
import { MillraceError } from '../core/errors.ts';
import { recordBytes } from '../core/record-bytes.ts';
import { createMissingTopics, keptTooShort, type WantedTopic } from './command-topics.ts';
import { CopyWatch, type PartitionEnd } from './copy-watch.ts';
import { GroupLag, type PartitionLag } from './group-lag.ts';
import { PartitionTransactions, type PartitionTransactionsOptions } from './partition-transactions.ts';
import { SENT_BYTES } from './sent-bytes.ts';
import { SharedAdmin } from './shared-admin.ts';

export interface KafkaPartitionsOptions
  extends Omit<PartitionTransactionsOptions, 'partition' | 'behind' | 'admin' | 'patience'> {
  /** ms: a node that says nothing for so long has lost its partitions; default 6 s, the least that brokers take by default */
  readonly sessionTimeout?: number | undefined;
  /** ms for which the log may lack what the topics hold; default a minute */
  readonly patience?: number | undefined;
  /** topics that are made where they are missing */
  readonly create?: readonly WantedTopic[] | undefined;
  /** what an operator should change */
  readonly report?: ((text: string) => void) | undefined;
  readonly onError: (error: unknown) => void;
}

interface Outgoing {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** ms */
const SESSION_TIMEOUT = 6_000;
const PATIENCE = 60_000;
const REJOIN_AFTER = 1_000;
const LOOK_EVERY = 20;
/** a log that needs no longer to catch up is as good as caught up: the rest comes while partitions are taken */
const CLOSE = 1_000;
const PASSES = 3;

/**
 * A commands topic of Kafka, its partitions shared by a consumer group. The group only decides who has which partition:
 * commands are read from the log, and who writes is decided by fencing, so a node that does not know that it has lost a
 * partition does no harm. A node takes part only while its log is caught up: a partition in the hands of one that has to
 * copy a long history first, or whose log is not copied any further, would stand still.
 */
export class KafkaPartitions implements CommandPartitions {
  readonly #options: KafkaPartitionsOptions;
  #producer: Promise<Producer> | null = null;
  #outgoing: Outgoing[] = [];
  #sending: Promise<void> | null = null;
  #consumer: Consumer | null = null;
  /** while this node takes part */
  #watch: CopyWatch | null = null;
  #retry: NodeJS.Timeout | null = null;
  /** the one that counts; events of earlier ones do not */
  #attempt = 0;
  #looked = false;
  readonly #admin: SharedAdmin;
  readonly #lag: GroupLag;
  #assigned: ((partitions: readonly number[]) => void) | null = null;
  #stopped = false;
  #joining: Promise<void> = Promise.resolve();

  constructor(options: KafkaPartitionsOptions) {
    this.#options = options;
    this.#admin = new SharedAdmin(options.kafka);
    this.#lag = new GroupLag({ admin: this.#admin, group: options.group, topic: options.topic });
  }

  send(command: { readonly key: Uint8Array; readonly value: Uint8Array }): Promise<void> {
    const bytes = recordBytes(command);
    if (bytes > SENT_BYTES) {
      const message = `the command has ${bytes} bytes, ${SENT_BYTES} are taken`;
      return Promise.reject(
        new MillraceError('record_too_large', message, { hint: 'split it into several commands' }),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#outgoing.push({ ...command, resolve, reject });
    this.#sending ??= this.#sendAll();
    return promise;
  }

  /** What gathers while one request is under way goes with the next. */
  async #sendAll(): Promise<void> {
    await Promise.resolve(); // the other commands of this turn
    while (this.#outgoing.length > 0) {
      const batch = this.#outgoing.splice(0, fitting(this.#outgoing));
      this.#producer ??= this.#connected();
      try {
        await (await this.#producer).send({
          topic: this.#options.topic,
          acks: -1,
          messages: batch.map(c => ({ key: Buffer.from(c.key), value: Buffer.from(c.value) })),
        });
        for (const { resolve } of batch) resolve();
      } catch (cause) {
        const old = this.#producer;
        this.#producer = null;
        void old.then(producer => producer.disconnect()).catch(() => {});
        const error = new MillraceError('log_write_failed', 'Kafka has not taken the command', {
          hint: 'send it again with the same command id: it counts once',
          cause,
        });
        for (const { reject } of batch) reject(error);
      }
    }
    this.#sending = null;
  }

  start(assigned: (partitions: readonly number[]) => void): void {
    this.#assigned = assigned;
    const attempt = ++this.#attempt;
    this.#joining = this.#join(attempt, assigned).catch(error => this.#rejoin(attempt, error));
  }

  writer(partition: number): PartitionWriter {
    const behind = () => this.#behind();
    const patience = this.#options.patience ?? PATIENCE;
    return new PartitionTransactions({ ...this.#options, partition, behind, patience, admin: this.#admin });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#watch?.stop();
    await this.#joining;
    await this.#sending;
    await this.#consumer?.disconnect().catch(() => {});
    await (await this.#producer?.catch(() => null))?.disconnect().catch(() => {});
    await this.#admin.close();
  }

  async #connected(): Promise<Producer> {
    // retries of the client must not write a command twice: repeated ids count once, but only for a time
    const producer = this.#options.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
    });
    await producer.connect();
    return producer;
  }

  async #join(attempt: number, assigned: (partitions: readonly number[]) => void): Promise<void> {
    const { kafka, group, topic, sessionTimeout = SESSION_TIMEOUT, create = [] } = this.#options;
    if (create.length > 0) await createMissingTopics(kafka, create);
    await this.#lookAtTopics();
    await this.#caughtUp();
    if (this.#stopped || attempt !== this.#attempt) return;
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout,
      heartbeatInterval: sessionTimeout / 4,
      maxWaitTimeInMs: 100,
      allowAutoTopicCreation: false,
    });
    this.#consumer = consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (attempt !== this.#attempt) {
        // given up, and come back by itself: what it is given nobody would handle
        void consumer.disconnect().catch(() => {});
        return;
      }
      const partitions = payload.memberAssignment[topic] ?? [];
      // nothing is consumed here: the log has it
      consumer.pause([{ topic, partitions }]);
      assigned(partitions);
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) this.#rejoin(attempt, payload.error);
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: false });
    await consumer.run({ autoCommit: false, eachBatch: async () => {} });
    if (this.#stopped || attempt !== this.#attempt) return;
    this.#watch = new CopyWatch({
      ends: () => this.#ends(),
      reached: this.#options.reached,
      patience: this.#options.patience ?? PATIENCE,
      behind: () => this.#behind(),
    });
  }

  #ends(): Promise<PartitionEnd[]> {
    const { topic, outputs } = this.#options;
    return this.#admin.ask(async admin => {
      const ends = [topic, ...outputs].map(async name =>
        (await admin.fetchTopicOffsets(name)).map(p => ({
          topic: name,
          partition: p.partition,
          end: +p.high,
        })),
      );
      return (await Promise.all(ends)).flat();
    });
  }

  /** commands that no node has handled yet; null: not known now */
  get lag(): readonly PartitionLag[] | null {
    return this.#lag.known;
  }

  /** Tells once which topics are kept for too short a time; who may not ask is not told. */
  async #lookAtTopics(): Promise<void> {
    const { kafka, create = [], report } = this.#options;
    if (this.#looked || report === undefined) return;
    this.#looked = true;
    for (const text of await keptTooShort(kafka, create).catch(() => [])) report(text);
  }

  /** Until the log has all that the topics held a moment ago. */
  async #caughtUp(): Promise<void> {
    const { topic, outputs, reached } = this.#options;
    // each pass takes as long as what came during the one before; on a slow machine none may be short
    for (
      let pass = 0, began = Number.NEGATIVE_INFINITY;
      pass < PASSES && performance.now() - began > CLOSE;
      pass++
    ) {
      began = performance.now();
      for (const name of [topic, ...outputs]) {
        for (const { partition, high } of await this.#admin.ask(admin => admin.fetchTopicOffsets(name))) {
          while ((reached(name, partition) ?? -1) < Number(high)) {
            if (this.#stopped) return;
            await new Promise(resolve => setTimeout(resolve, LOOK_EVERY));
          }
        }
      }
    }
  }

  /** The log has fallen behind since: the partitions go to nodes that have what is needed. */
  #behind(): void {
    if (this.#consumer === null) return;
    this.#rejoin(
      this.#attempt,
      new Error('this node leaves the handlers of commands until its log has caught up with Kafka'),
    );
  }

  /** One consumer at a time: each attempt is given up once, whatever else it still tells. */
  #rejoin(attempt: number, error: unknown): void {
    const assigned = this.#assigned;
    if (this.#stopped || attempt !== this.#attempt || assigned === null) return;
    this.#attempt++;
    this.#watch?.stop();
    this.#watch = null;
    this.#options.onError(error);
    // others will have the partitions: taking them back by fencing would only hold them up
    assigned([]);
    const old = this.#consumer;
    this.#consumer = null;
    void old?.disconnect().catch(() => {});
    this.#retry = setTimeout(() => this.start(assigned), REJOIN_AFTER);
  }
}

/** How many of the first ones go together: as many as fit, and at least one. */
function fitting(commands: readonly Outgoing[]): number {
  let bytes = 0;
  const over = commands.findIndex(command => {
    bytes += recordBytes(command);
    return bytes > SENT_BYTES;
  });
  return over < 0 ? commands.length : Math.max(1, over);
}
