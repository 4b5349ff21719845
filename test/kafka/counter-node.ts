import { ReplicatedCommands } from '../../src/commands/replicated-commands.ts';
import type { Clock } from '../../src/core/clock.ts';
import { systemClock } from '../../src/core/clock.ts';
import { kafkaClient, QUICK_RETRIES } from '../../src/kafka/kafka-client.ts';
import { KafkaPartitions } from '../../src/kafka/kafka-partitions.ts';
import type { KafkaSettings } from '../../src/kafka/kafka-settings.ts';
import { Replicator } from '../../src/kafka/replicator.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { partitionOf } from '../../src/log/murmur2.ts';
import { counter } from '../commands/counter.ts';
import type { NodeOptions } from '../contract/commands.contract.ts';

/** The counter with topics of its own. */
export function counterNamed(name: string) {
  const topics = {
    commands: `${name}-commands`,
    events: `${name}-events`,
    snapshots: `${name}-snapshots`,
    published: [],
  };
  return { entity: { ...counter, topics }, resultsTopic: `${name}-results` };
}

/** A node that handles the counter's commands on Kafka, with a log of its own. */
export function startCounterNode(
  log: EventLog,
  settings: KafkaSettings,
  name: string,
  options: NodeOptions & {
    readonly clock?: Clock;
    readonly sessionTimeout?: number;
    readonly patience?: number;
    readonly group?: string;
    readonly keepResultsFor?: number;
    /** stands between what the log has reached and who asks */
    readonly reached?: (reached: Replicator['reached'], topic: string, partition: number) => number | null;
  } = {},
) {
  const { entity, resultsTopic } = counterNamed(name);
  const { commands: topic, events, snapshots } = entity.topics;
  const outputs = [events, snapshots, resultsTopic];
  const errors: unknown[] = [];
  const { reached = (really, t, p) => really(t, p), group = `${name}-handlers`, ...limits } = options;
  const replicator = new Replicator({
    log,
    settings,
    clock: options.clock ?? systemClock,
    wanted: () => new Set([topic, ...outputs]),
    report: () => {},
    lookEvery: 500,
  });
  const commands = new ReplicatedCommands({
    log,
    entity,
    resultsTopic,
    partitions: new KafkaPartitions({
      kafka: kafkaClient(settings, QUICK_RETRIES),
      group,
      topic,
      outputs,
      log,
      partitionOf,
      reached: (t, p) => reached((topic, partition) => replicator.reached(topic, partition), t, p),
      sessionTimeout: options.sessionTimeout,
      patience: options.patience,
      onError: e => errors.push(e),
    }),
    onError: e => errors.push(e),
    ...limits,
  });
  replicator.start();
  return {
    commands,
    log,
    replicator,
    errors,
    async close() {
      await commands.close();
      await replicator.stop();
    },
  };
}
