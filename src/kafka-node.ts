import { entityTopics, ReplicatedCommands } from './commands/replicated-commands.ts';
import type { Config, KafkaConfig } from './config.ts';
import type { Clock } from './core/clock.ts';
import { MillraceError } from './core/errors.ts';
import type { InvoiceCommand } from './invoice/invoice-entity.ts';
import { INVOICE_TOPICS, invoiceEntity } from './invoice/invoice-entity.ts';
import type { InvoiceEvent } from './invoice/invoice-event.ts';
import type { InvoiceState } from './invoice/invoice-state.ts';
import type { PartitionLag } from './kafka/group-lag.ts';
import { kafkaClient, QUICK_RETRIES } from './kafka/kafka-client.ts';
import { KafkaPartitions } from './kafka/kafka-partitions.ts';
import type { KafkaSettings } from './kafka/kafka-settings.ts';
import { OutputTopics } from './kafka/output-topics.ts';
import type { ReplicationStatus } from './kafka/replication-status.ts';
import { Replicator } from './kafka/replicator.ts';
import { KEEP_RESULTS, RESULTS_TOPIC } from './kept-topics.ts';
import type { EventLog } from './log/event-log.ts';
import { partitionOf } from './log/murmur2.ts';
import type { ViewPlan } from './plan/plan.ts';
import { kafkaSettings } from './replicated-topics.ts';

const FOR_EVER = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };
/** ms that a command is kept: nodes may be away for so long */
const KEEP_COMMANDS = 7 * 86_400_000;

/**
 * How long Kafka keeps the records of a topic that is made here: facts for ever, as the log does. A result outlives its
 * command by the time for which command ids are remembered, so that a command which is there is never taken for a new one.
 */
function keptInKafka(topic: string, keepResultsFor: number): Readonly<Record<string, string>> {
  const { commands, snapshots } = INVOICE_TOPICS;
  const finite = (ms: number) => ({ ...FOR_EVER, 'retention.ms': String(ms) });
  if (topic === snapshots) return { 'cleanup.policy': 'compact' };
  if (topic === commands) return finite(KEEP_COMMANDS);
  return topic === RESULTS_TOPIC ? finite(KEEP_COMMANDS + keepResultsFor) : FOR_EVER;
}

/** The topics of commands that nodes share, in Kafka. */
const SHARED_TOPICS: readonly string[] = entityTopics(invoiceEntity, RESULTS_TOPIC).map(t => t.name);

/**
 * Makes the topics with the indexes that handlers need, before views make them without. Throws `config_invalid` where the
 * log holds commands of its own: they would be lost from sight.
 */
export function prepareSharedTopics(log: EventLog): void {
  const own = SHARED_TOPICS.filter(name => {
    const topic = log.topic(name);
    return topic !== null && !topic.replicated && topic.records > 0;
  });
  if (own.length > 0) {
    throw new MillraceError(
      'config_invalid',
      `this data folder has commands of its own (${own.join(', ')})`,
      {
        hint: 'start on a new data folder with --data: commands on Kafka begin with what Kafka has',
      },
    );
  }
  for (const { name, keyIndex } of entityTopics(invoiceEntity, RESULTS_TOPIC)) {
    if (log.topic(name) === null) log.createTopic({ name, partitions: 1, keyIndex });
  }
}

export interface KafkaNodeOptions {
  readonly config: Config;
  readonly kafka: KafkaConfig;
  readonly log: EventLog;
  readonly clock: Clock;
  /** what views and reactions read */
  readonly wanted: (shared: readonly string[]) => ReadonlySet<string>;
  /** the plans of the served views */
  readonly served: () => readonly ViewPlan[];
  readonly report: (text: string) => void;
  readonly onError: (error: unknown) => void;
}

export interface KafkaNode {
  status(): ReplicationStatus;
  /** topics of views that are written to Kafka */
  readonly outputs: OutputTopics;
  /** null: this node handles the commands of its own log */
  readonly commands: ReplicatedCommands<InvoiceCommand, InvoiceEvent, InvoiceState> | null;
  /** commands that no node has handled yet; null: none are shared, or not known now */
  commandLag(): readonly PartitionLag[] | null;
  stop(): Promise<void>;
}

/** Follows Kafka, and shares the handling of commands when that is configured. */
export function startKafkaNode(options: KafkaNodeOptions): KafkaNode {
  const { log, clock, kafka, wanted, report } = options;
  const settings = kafkaSettings(kafka, process.env);
  const shared = kafka.commands === null ? [] : SHARED_TOPICS;
  const replicator = new Replicator({ log, clock, settings, wanted: () => wanted(shared), report });
  const handled =
    kafka.commands === null
      ? null
      : sharedCommands({ ...options, settings, replicator, shared: kafka.commands });
  replicator.start();
  const outputs = new OutputTopics({
    kafka: kafkaClient(settings, QUICK_RETRIES),
    settings,
    log,
    topics: kafka.outputs,
    written: () => writtenTopics(options.served()),
    onError: options.onError,
  });
  return {
    status: () => replicator.status(),
    commands: handled?.commands ?? null,
    commandLag: () => handled?.partitions.lag ?? null,
    outputs,
    async stop() {
      await outputs.stop();
      await handled?.commands.close();
      await replicator.stop();
    },
  };
}

/** A stream's topic keeps every record, a table's the last one of a key. */
function writtenTopics(plans: readonly ViewPlan[]): ReadonlyMap<string, { readonly upsert: boolean }> {
  return new Map(
    plans.flatMap(({ sink, kind }) =>
      sink === null ? [] : [[sink.topic, { upsert: kind !== 'append' && sink.window == null }] as const],
    ),
  );
}

/** Invoice commands handled by all nodes of a consumer group. */
function sharedCommands(
  options: KafkaNodeOptions & {
    readonly shared: NonNullable<KafkaConfig['commands']>;
    readonly settings: KafkaSettings;
    readonly replicator: Replicator;
  },
) {
  const { log, config, shared, settings, replicator } = options;
  const onError = seldom(options.onError, options.clock);
  const topics = entityTopics(invoiceEntity, RESULTS_TOPIC);
  const { commands } = INVOICE_TOPICS;
  const { keepResultsFor = KEEP_RESULTS, cacheSize } = config.commands.invoice ?? {};
  const partitions = new KafkaPartitions({
    kafka: kafkaClient(settings, QUICK_RETRIES),
    group: shared.group,
    topic: commands,
    outputs: topics.map(t => t.name).filter(name => name !== commands),
    create: topics.map(({ name }) => ({
      name,
      partitions: shared.partitions,
      config: keptInKafka(name, keepResultsFor),
    })),
    report: options.report,
    log,
    partitionOf,
    reached: (topic, partition) => replicator.reached(topic, partition),
    onError,
  });
  return {
    partitions,
    commands: new ReplicatedCommands({
      log,
      entity: invoiceEntity,
      keepResultsFor,
      cacheSize,
      partitions,
      onError,
    }),
  };
}

/** While Kafka is away every partition fails the same way again and again: it is told once a minute. */
function seldom(onError: (error: unknown) => void, clock: Clock): (error: unknown) => void {
  const told = new Map<string, number>();
  return error => {
    const text = String(error);
    const now = clock.now();
    if (now - (told.get(text) ?? Number.NEGATIVE_INFINITY) < 60_000) return;
    if (told.size > 100) told.clear();
    told.set(text, now);
    onError(error);
  };
}
