import { readFileSync } from 'node:fs';
import type { ReactionStatus } from './commands/reaction-runner.ts';
import type { KafkaConfig } from './config.ts';
import { MillraceError } from './core/errors.ts';
import type { KafkaFigures } from './http/ports.ts';
import { INVOICE_TOPICS } from './invoice/invoice-entity.ts';
import type { KafkaSettings } from './kafka/kafka-settings.ts';
import { GAPS_TOPIC } from './kafka/replication-gaps.ts';
import type { ReplicationStatus } from './kafka/replication-status.ts';
import type { KafkaNode } from './kafka-node.ts';
import { RESULTS_TOPIC } from './kept-topics.ts';
import type { ViewPlan } from './plan/plan.ts';

/** Topics that this node writes itself. */
const OWN: readonly string[] = [
  INVOICE_TOPICS.commands,
  INVOICE_TOPICS.events,
  INVOICE_TOPICS.snapshots,
  ...INVOICE_TOPICS.published,
  RESULTS_TOPIC,
  GAPS_TOPIC,
];

/** What views and reactions read and nobody here writes, and what nodes share: so much of Kafka is copied. */
export function wantedTopics(
  plans: readonly ViewPlan[],
  reactions: readonly ReactionStatus[],
  shared: readonly string[],
): ReadonlySet<string> {
  const wanted = new Set(plans.flatMap(plan => plan.topics));
  for (const { follows } of reactions) if (follows.startsWith('topic ')) wanted.add(follows.slice(6));
  for (const name of OWN) wanted.delete(name);
  for (const { sink } of plans) if (sink !== null) wanted.delete(sink.topic);
  for (const name of shared) wanted.add(name);
  return wanted;
}

/** The settings with files read and variables looked up. Throws `config_invalid`. */
export function kafkaSettings(config: KafkaConfig, env: NodeJS.ProcessEnv): KafkaSettings {
  const { brokers, clientId, exclude, tls, sasl } = config;
  return {
    brokers,
    clientId,
    exclude,
    tls:
      tls === null
        ? null
        : {
            ...(tls.ca === undefined ? {} : { ca: pem(tls.ca) }),
            ...(tls.cert === undefined ? {} : { cert: pem(tls.cert) }),
            ...(tls.key === undefined ? {} : { key: pem(tls.key) }),
          },
    sasl:
      sasl === null
        ? null
        : {
            mechanism: sasl.mechanism,
            username: variable(sasl.username, env),
            password: variable(sasl.password, env),
          },
  };
}

function pem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new MillraceError(
      'config_invalid',
      `kafka.tls: ${path} cannot be read: ${(cause as Error).message}`,
      {
        hint: 'paths are relative to the folder of kafka.yaml',
        cause,
      },
    );
  }
}

function variable(text: string, env: NodeJS.ProcessEnv): string {
  if (!text.startsWith('$')) return text;
  const value = env[text.slice(1)];
  if (value !== undefined && value !== '') return value;
  throw new MillraceError('config_invalid', `kafka.sasl takes ${text}, which is not set`, {
    hint: `export ${text.slice(1)}=...`,
  });
}

/** Names of topics whose copy lacks something that Kafka had. */
export function incompleteTopics(status: ReplicationStatus | null): ReadonlySet<string> {
  return new Set(status?.topics.filter(t => t.incomplete.length > 0).map(t => t.name));
}

/** What metrics tell of Kafka. */
export function kafkaFigures(kafka: Pick<KafkaNode, 'status' | 'outputs' | 'commandLag'>): KafkaFigures {
  const { state, topics } = kafka.status();
  return {
    up: state === 'following',
    topics: topics.map(({ name, lags, incomplete }) => ({ topic: name, lags, gaps: incomplete.length })),
    commands: kafka.commandLag(),
    outputs: kafka.outputs.status(),
  };
}

/** The status as JSON: times as ISO. `handled`: partitions of commands that this node has, null: it shares none. */
export function replicationDocument(
  status: ReplicationStatus,
  handled: readonly number[] | null,
): Record<string, unknown> {
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    ...status,
    ...(handled === null ? {} : { handledPartitions: handled }),
    awaySince: status.awaySince === null ? null : iso(status.awaySince),
    topics: status.topics.map(({ lags: _, ...t }) => ({
      ...t,
      incomplete: t.incomplete.map(g => ({ ...g, at: iso(g.at) })),
    })),
  };
}
