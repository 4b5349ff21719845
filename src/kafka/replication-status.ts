import type { PartitionFeed } from './partition-feed.ts';
import type { ReplicationGap } from './replication-gaps.ts';

/** How the copying of topics stands, for operators. */
export interface ReplicationStatus {
  readonly brokers: readonly string[];
  readonly state: 'connecting' | 'following' | 'away';
  /** ms */
  readonly awaySince: number | null;
  /** why it is away */
  readonly error: string | null;
  readonly topics: readonly ReplicatedTopic[];
  /** topics that are read here and that Kafka does not have: they are the log's own */
  readonly notInKafka: readonly string[];
}

export interface ReplicatedTopic {
  readonly name: string;
  readonly partitions: number;
  /** records that Kafka has and the log has not, about (markers of transactions count); null: not known now */
  readonly lag: number | null;
  /** the same per partition */
  readonly lags: readonly (number | null)[];
  /** why it is not copied any further */
  readonly problem: string | null;
  /** what the log does not have as Kafka had it */
  readonly incomplete: readonly Omit<ReplicationGap, 'topic'>[];
}

export interface StatusParts {
  readonly brokers: readonly string[];
  readonly state: ReplicationStatus['state'];
  readonly awaySince: number | null;
  readonly error: string | null;
  readonly feeds: readonly PartitionFeed[];
  readonly problems: ReadonlyMap<string, string>;
  readonly absent: readonly string[];
  readonly gaps: readonly ReplicationGap[];
}

export function replicationStatus(parts: StatusParts): ReplicationStatus {
  const { brokers, state, awaySince, error, problems, absent } = parts;
  const feeds = Map.groupBy(parts.feeds, feed => feed.topic);
  const gaps = Map.groupBy(parts.gaps, gap => gap.topic);
  const names = [...new Set([...feeds.keys(), ...problems.keys(), ...gaps.keys()])].sort();
  return {
    brokers,
    state,
    awaySince,
    error,
    topics: names.map(name => {
      const partitions = feeds.get(name) ?? [];
      return {
        name,
        partitions: partitions.length,
        lag: partitions.reduce<number | null>(
          (sum, feed) => (sum === null || feed.lag === null ? null : sum + feed.lag),
          problems.has(name) ? null : 0,
        ),
        lags: partitions.toSorted((a, b) => a.partition - b.partition).map(feed => feed.lag),
        problem: problems.get(name) ?? partitions.find(f => f.problem !== null)?.problem ?? null,
        incomplete: (gaps.get(name) ?? []).map(({ topic: _, ...gap }) => gap),
      };
    }),
    notInKafka: absent,
  };
}
