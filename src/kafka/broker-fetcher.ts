import type { FetchedPartition } from './fetch-response.ts';
import type { KafkaCluster } from './kafka-client.ts';
import type { PartitionFeed } from './partition-feed.ts';
import { Signal } from './signal.ts';

/** ms that a broker may wait for new records */
const LONG_POLL = 250;
/** ms, where a feed that is full now may soon have room again */
const SHORT_POLL = 5;
const ANSWER_BYTES = 2 << 20;

export interface FetcherPorts {
  readonly cluster: KafkaCluster;
  readonly node: number;
  /** all feeds whose partitions this broker leads */
  readonly feeds: () => readonly PartitionFeed[];
  /** bytes that a feed may hold, and that it may be sent at once */
  readonly room: () => { readonly feed: number; readonly partition: number };
  readonly fetched: (feed: PartitionFeed, answer: FetchedPartition) => void;
  readonly answered: () => void;
  /** ends the fetcher: what it knows of the cluster is old */
  readonly failed: (error: unknown) => void;
}

/** Keeps the feeds of one broker filled, as long as there is room. */
export class BrokerFetcher {
  readonly #ports: FetcherPorts;
  /** room was made, or feeds were added */
  readonly room = new Signal();
  readonly done: Promise<void>;
  #stopped = false;

  constructor(ports: FetcherPorts) {
    this.#ports = ports;
    this.done = this.#run().catch(error => {
      if (!this.#stopped) ports.failed(error);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.room.tell();
  }

  async #run(): Promise<void> {
    const { cluster, node, fetched, answered } = this.#ports;
    while (!this.#stopped) {
      const feeds = this.#ports.feeds();
      const room = this.#ports.room();
      const open = feeds.filter(feed => feed.bytes < room.feed);
      if (open.length === 0) {
        await this.room.wait(LONG_POLL);
        continue;
      }
      const behind = open.some(feed => feed.behind);
      const wait = behind ? 0 : open.length < feeds.length ? SHORT_POLL : LONG_POLL;
      const from = open.map(({ topic, partition, next }) => ({
        topic,
        partition,
        offset: next,
        maxBytes: room.partition,
      }));
      const { error, partitions } = await cluster.fetch(node, from, wait, ANSWER_BYTES);
      if (this.#stopped) return;
      if (error !== 0) throw new Error(`Kafka answers with error ${error}`);
      const asked = new Map(open.map(feed => [feed.id, feed]));
      for (const answer of partitions) {
        const feed = asked.get(`${answer.topic}/${answer.partition}`);
        if (feed !== undefined) fetched(feed, answer);
      }
      answered();
    }
  }
}
