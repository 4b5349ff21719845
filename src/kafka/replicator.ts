import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import type { EventLog } from '../log/event-log.ts';
import { BrokerFetcher } from './broker-fetcher.ts';
import type { FetchedPartition } from './fetch-response.ts';
import { KafkaCluster, type TopicLeaders } from './kafka-client.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { PartitionFeed } from './partition-feed.ts';
import { ReplicaWriter } from './replica-writer.ts';
import { type ReplicationGap, ReplicationGaps } from './replication-gaps.ts';
import { type ReplicationStatus, replicationStatus } from './replication-status.ts';
import { Signal } from './signal.ts';

export interface ReplicatorOptions {
  readonly log: EventLog;
  readonly settings: KafkaSettings;
  readonly clock: Clock;
  /** topics that somebody reads and nobody here writes, asked again and again */
  readonly wanted: () => ReadonlySet<string>;
  /** what an operator should know: the cluster is away, is back, a gap was found */
  readonly report: (text: string) => void;
  /** ms between two looks at the cluster's topics and partitions */
  readonly lookEvery?: number | undefined;
}

/** ms */
const LOOK_EVERY = 10_000;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 2_000;
/** of all feeds */
const BUFFERED_BYTES = 64 << 20;

const OFFSET_OUT_OF_RANGE = 1;
/** codes of answers after which the cluster is looked at anew: the partition is led elsewhere, or not at all for now */
const MOVED: readonly number[] = [3, 5, 6, 9, 74, 75, 100];

/**
 * Copies topics of Kafka into the log, from where the log ends. Record, source offset and sequence are one transaction of
 * the log, because the source offset is the record's offset in the log: after a crash nothing is there twice or missing.
 */
export class Replicator {
  readonly #options: ReplicatorOptions;
  readonly #gaps: ReplicationGaps;
  /** by topic and partition */
  #feeds = new Map<string, PartitionFeed>();
  #fetchers = new Map<number, BrokerFetcher>();
  readonly #problems = new Map<string, string>();
  readonly #writer: ReplicaWriter;
  /** look at the cluster again, now */
  readonly #look = new Signal();
  #cluster: KafkaCluster | null = null;
  #state: ReplicationStatus['state'] = 'connecting';
  #awaySince: number | null = null;
  #error: string | null = null;
  #broken: unknown = null;
  #absent: readonly string[] = [];
  /** after the cluster was away its topics may be others: where the log ends is compared again */
  #renew = false;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: ReplicatorOptions) {
    this.#options = options;
    const { log, clock, report } = options;
    this.#gaps = new ReplicationGaps({ log, clock, report });
    this.#writer = new ReplicaWriter({
      log,
      clock,
      gaps: this.#gaps,
      feeds: () => this.#feeds,
      healthy: feed => this.#healthy(feed),
      appended: () => {
        for (const fetcher of this.#fetchers.values()) fetcher.room.tell();
      },
      failed: error => this.#startOver(error),
    });
  }

  start(): void {
    this.#running = Promise.all([this.#follow(), this.#writer.run()]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#look.tell();
    this.#writer.stop();
    await this.#disconnect();
    await this.#running;
  }

  status(): ReplicationStatus {
    const { brokers } = this.#options.settings;
    return replicationStatus({
      brokers,
      state: this.#state,
      awaySince: this.#awaySince,
      error: this.#error,
      feeds: [...this.#feeds.values()],
      problems: this.#problems,
      absent: this.#absent,
      gaps: this.#gaps.all,
    });
  }

  /** Offset of a partition before which the log has all that Kafka has committed; null: not known now. */
  reached(topic: string, partition: number): number | null {
    const feed = this.#feeds.get(`${topic}/${partition}`);
    return feed === undefined || this.#renew ? null : feed.reached;
  }

  /** Connects, keeps feeds and fetchers as the cluster and the wanted topics are, and starts over when something breaks. */
  async #follow(): Promise<void> {
    let pause = FIRST_PAUSE;
    while (!this.#stopped) {
      try {
        this.#cluster = new KafkaCluster(this.#options.settings);
        await this.#cluster.connect();
        while (!this.#stopped) {
          await this.#adjust(await this.#cluster.topics());
          this.#back();
          pause = FIRST_PAUSE;
          await this.#look.wait(this.#options.lookEvery ?? LOOK_EVERY);
          if (this.#broken !== null) throw this.#broken;
        }
      } catch (error) {
        if (this.#stopped) break;
        this.#away(error);
        await this.#disconnect();
        await this.#look.wait(pause);
        pause = Math.min(LONGEST_PAUSE, pause * 2);
      }
    }
  }

  #back(): void {
    const { clock, report } = this.#options;
    if (this.#state === 'away') {
      report(`Kafka is back after ${Math.round((clock.now() - (this.#awaySince ?? clock.now())) / 1000)} s`);
    }
    this.#state = 'following';
    this.#awaySince = null;
    this.#error = null;
  }

  #away(error: unknown): void {
    const { clock, report, settings } = this.#options;
    this.#broken = null;
    this.#renew = true;
    this.#error = error instanceof Error ? error.message : String(error);
    if (this.#state !== 'away') {
      this.#state = 'away';
      this.#awaySince = clock.now();
      report(
        `Kafka (${settings.brokers.join(', ')}) is away: ${this.#error}; what is here is served meanwhile`,
      );
    }
    for (const feed of this.#feeds.values()) feed.forget(clock.now());
  }

  async #disconnect(): Promise<void> {
    const fetchers = [...this.#fetchers.values()];
    this.#fetchers = new Map();
    for (const fetcher of fetchers) fetcher.stop();
    const cluster = this.#cluster;
    this.#cluster = null;
    await cluster?.close().catch(() => {});
    await Promise.all(fetchers.map(f => f.done));
  }

  async #adjust(topics: ReadonlyMap<string, TopicLeaders>): Promise<void> {
    const { settings, wanted } = this.#options;
    const names = [...wanted()].filter(name => !settings.exclude.includes(name));
    this.#absent = names.filter(name => !topics.has(name));
    const feeds = new Map<string, PartitionFeed>();
    this.#problems.clear();
    for (const name of names) {
      const topic = topics.get(name);
      if (topic === undefined) continue;
      try {
        this.#assertSame(name);
        this.#prepare(topic);
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        this.#problems.set(name, `${error.message}${error.hint === undefined ? '' : `: ${error.hint}`}`);
        continue;
      }
      for (const [partition, leader] of topic.leaders.entries()) {
        const id = `${name}/${partition}`;
        const feed = (this.#renew ? undefined : this.#feeds.get(id)) ?? this.#newFeed(name, partition);
        if (feed.leader !== leader) feed.forget(this.#options.clock.now());
        feed.leader = leader;
        feed.resting = false;
        feeds.set(id, feed);
      }
    }
    this.#feeds = feeds;
    this.#renew = false;
    this.#writer.arrived.tell();
    const nodes = new Set([...feeds.values()].map(f => f.leader).filter(node => node >= 0));
    for (const [node, fetcher] of this.#fetchers) {
      if (nodes.has(node)) fetcher.room.tell();
      else {
        fetcher.stop();
        this.#fetchers.delete(node);
      }
    }
    for (const node of nodes) if (!this.#fetchers.has(node)) this.#fetchers.set(node, this.#fetcher(node));
  }

  /** A topic that was made anew stays unread although it grows: its records would be mixed into the old ones. */
  #assertSame(topic: string): void {
    const replaced = this.#gaps.all.findLast(gap => gap.topic === topic && gap.reason === 'replaced');
    if (replaced === undefined) return;
    const { partition, from, to } = replaced;
    throw new MillraceError(
      'topic_exists',
      `Kafka's partition ${partition} ended at ${from}, the log has records up to ${to}: the topic was made anew or cut`,
      { hint: 'read it under another name, or start with an empty data folder' },
    );
  }

  #prepare({ topic, leaders }: TopicLeaders): void {
    const { log } = this.#options;
    const here = log.topic(topic);
    if (here === null || !here.replicated || here.partitions !== leaders.length) {
      log.replicateTopic(topic, leaders.length);
    }
  }

  #newFeed(topic: string, partition: number): PartitionFeed {
    const { log, clock } = this.#options;
    const end = log.topic(topic)?.ends[partition] ?? 0;
    const last =
      end === 0 ? null : (log.readTopic(topic, { partition, fromOffset: end - 1, limit: 1 })[0] ?? null);
    return new PartitionFeed({ topic, partition, end, last, now: clock.now() });
  }

  #fetcher(node: number): BrokerFetcher {
    return new BrokerFetcher({
      cluster: this.#cluster!,
      node,
      feeds: () => [...this.#feeds.values()].filter(f => f.leader === node && this.#healthy(f)),
      room: () => {
        const each = BUFFERED_BYTES / Math.max(1, this.#feeds.size);
        return { feed: clamp(each / 2, 256 << 10, 2 << 20), partition: clamp(each / 2, 64 << 10, 1 << 20) };
      },
      fetched: (feed, answer) => this.#fetched(feed, answer),
      answered: () => this.#writer.arrived.tell(),
      failed: error => this.#break(error),
    });
  }

  #healthy(feed: PartitionFeed): boolean {
    return !feed.astray && !feed.resting && !this.#problems.has(feed.topic);
  }

  #break(error: unknown): void {
    this.#broken ??= error;
    this.#look.tell();
  }

  #fetched(feed: PartitionFeed, answer: FetchedPartition): void {
    if (answer.error === OFFSET_OUT_OF_RANGE) {
      feed.astray = true;
      this.#outOfRange(feed).then(
        () => {
          feed.astray = false;
        },
        error => {
          feed.astray = false;
          this.#break(error);
        },
      );
      return;
    }
    if (MOVED.includes(answer.error)) throw new Error(`Kafka answers ${feed.id} with ${answer.error}`);
    let changed: number | null;
    try {
      if (answer.error !== 0) throw new Error(`Kafka answers with error ${answer.error}`);
      changed = feed.fill(answer).changed;
    } catch (error) {
      this.#rest(feed, error);
      return;
    }
    if (changed !== null) this.#gap(feed, { from: changed, to: changed + 1, reason: 'changed' });
  }

  /** What was to be read next is not there: Kafka has deleted it, or the topic is another one of the same name. */
  async #outOfRange(feed: PartitionFeed): Promise<void> {
    const range = await this.#cluster?.range(feed.topic, feed.partition);
    if (range === undefined) return;
    const { start, end } = range;
    if (feed.next < start) {
      if (feed.appended < start) this.#gap(feed, { from: feed.appended, to: start, reason: 'retention' });
      feed.continueAt(start);
    } else if (feed.next > end) {
      this.#gap(feed, { from: end, to: feed.appended, reason: 'replaced' });
      this.#problems.set(feed.topic, 'the topic was made anew or cut');
      this.#look.tell();
    }
  }

  /** What is wrong with one partition concerns it alone: it is tried again at the next look. */
  #rest(feed: PartitionFeed, error: unknown): void {
    const problem = `partition ${feed.partition}: ${error instanceof Error ? error.message : String(error)}`;
    if (feed.problem !== problem) this.#options.report(`${feed.topic} is not copied any further: ${problem}`);
    feed.problem = problem;
    feed.resting = true;
  }

  #gap(feed: PartitionFeed, gap: Pick<ReplicationGap, 'from' | 'to' | 'reason'>): void {
    this.#gaps.found({ topic: feed.topic, partition: feed.partition, ...gap });
    this.#writer.arrived.tell();
  }

  /** Forgets what was fetched: from the end of the log again. */
  #startOver(error: unknown): void {
    if (this.#stopped) return;
    const why = error instanceof Error ? error.message : String(error);
    this.#options.report(`copying from Kafka begins at the end of the log again: ${why}`);
    this.#feeds = new Map();
    this.#look.tell();
  }
}

const clamp = (n: number, least: number, most: number): number =>
  Math.floor(Math.min(most, Math.max(least, n)));
