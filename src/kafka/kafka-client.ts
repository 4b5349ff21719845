import { createRequire } from 'node:module';
import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { type FetchResponse, readFetchResponse } from './fetch-response.ts';
import type { KafkaSettings } from './kafka-settings.ts';

/** The parts of kafkajs 2.2.4 that it does not export. */
interface Sent {
  readonly request: unknown;
  readonly response: {
    decode(bytes: Buffer): Promise<unknown>;
    parse(decoded: unknown): Promise<unknown>;
  };
  readonly requestTimeout?: number;
}

interface InnerMetadata {
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
  }[];
}

interface InnerBroker {
  readonly connectionPool: { send(request: Sent): Promise<unknown> };
  lookupRequest(apiKey: number, definition: unknown): (options: object) => Sent;
  metadata(topics: readonly string[]): Promise<unknown>;
  disconnect(): Promise<void>;
}

interface InnerCluster {
  readonly brokerPool: {
    readonly metadata: InnerMetadata | null;
    createBroker(options: object): InnerBroker;
  };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findBroker(of: { readonly nodeId: number }): Promise<InnerBroker>;
  fetchTopicsOffset(
    of: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
      readonly fromBeginning: boolean;
    }[],
  ): Promise<readonly { readonly partitions: readonly { readonly offset: string }[] }[]>;
}

const require = createRequire(import.meta.url);
const { requests } = require('kafkajs/src/protocol/requests') as { readonly requests: { Metadata: unknown } };
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys') as { readonly Metadata: number };
const fetchRequest = require('kafkajs/src/protocol/requests/fetch/v11/request') as (
  options: object,
) => unknown;
const RequestQueue = require('kafkajs/src/network/requestQueue') as {
  readonly prototype: { scheduleCheckPendingRequests(): void; readonly pending: readonly unknown[] };
};

// With nothing pending it sets a timer to a negative time, of which Node warns.
const { scheduleCheckPendingRequests } = RequestQueue.prototype;
RequestQueue.prototype.scheduleCheckPendingRequests = function check() {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
};

/** ms */
const CONNECT = 3_000;
const REQUEST = 30_000;
const READ_COMMITTED = 1;

/** For transactions: markers follow the answers by a ms or so, and a client that then waits long makes few of them. */
export const QUICK_RETRIES = { initialRetryTime: 2, maxRetryTime: 200, retries: 50 };

export function kafkaClient(
  settings: KafkaSettings,
  retry = { initialRetryTime: 20, maxRetryTime: 500, retries: 2 },
): Kafka {
  return new Kafka({
    clientId: settings.clientId,
    brokers: [...settings.brokers],
    connectionTimeout: CONNECT,
    requestTimeout: REQUEST,
    logLevel: logLevel.NOTHING,
    retry,
    ...(settings.tls === null ? {} : { ssl: settings.tls }),
    ...(settings.sasl === null ? {} : { sasl: settings.sasl as SASLOptions }),
  });
}

/** Partitions of a topic: the node that leads each, by number; -1 when none does. */
export interface TopicLeaders {
  readonly topic: string;
  readonly leaders: readonly number[];
}

export interface FetchFrom {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly maxBytes: number;
}

/** One connection to a cluster for a node that reads all partitions itself: no consumer group. */
export class KafkaCluster {
  readonly #inner: InnerCluster;

  constructor(settings: KafkaSettings) {
    const kafka = kafkaClient(settings) as unknown as Readonly<
      Record<symbol, (options: object) => InnerCluster>
    >;
    const create = Object.getOwnPropertySymbols(kafka).find(
      s => s.description === 'private:Kafka:createCluster',
    )!;
    this.#inner = kafka[create]!({ allowAutoTopicCreation: false, isolationLevel: READ_COMMITTED });
    const pool = this.#inner.brokerPool;
    const { createBroker } = pool;
    pool.createBroker = options => {
      const broker = createBroker.call(pool, options);
      broker.metadata = topics => metadataOf(broker, topics);
      return broker;
    };
  }

  async connect(): Promise<void> {
    await this.#inner.connect();
  }

  async close(): Promise<void> {
    await this.#inner.disconnect();
  }

  /** Asks for all topics of the cluster anew. */
  async topics(): Promise<ReadonlyMap<string, TopicLeaders>> {
    await this.#inner.refreshMetadata();
    const topics = new Map<string, TopicLeaders>();
    for (const { topic, topicErrorCode, partitionMetadata } of this.#inner.brokerPool.metadata
      ?.topicMetadata ?? []) {
      if (topicErrorCode !== 0 && partitionMetadata.length === 0) continue;
      const leaders: number[] = new Array(partitionMetadata.length).fill(-1);
      for (const p of partitionMetadata) leaders[p.partitionId] = p.leader;
      topics.set(topic, { topic, leaders });
    }
    return topics;
  }

  /** The first offset that a partition has, and the end of what is committed. */
  async range(topic: string, partition: number): Promise<{ readonly start: number; readonly end: number }> {
    const ask = async (fromBeginning: boolean) => {
      const found = await this.#inner.fetchTopicsOffset([
        { topic, partitions: [{ partition }], fromBeginning },
      ]);
      return Number(found[0]?.partitions[0]?.offset ?? Number.NaN);
    };
    return { start: await ask(true), end: await ask(false) };
  }

  /** Waits up to `maxWait` ms until there is something. */
  async fetch(
    node: number,
    from: readonly FetchFrom[],
    maxWait: number,
    maxBytes: number,
  ): Promise<FetchResponse> {
    const broker = await this.#inner.findBroker({ nodeId: node });
    const byTopic = Map.groupBy(from, f => f.topic);
    try {
      const response = await broker.connectionPool.send({
        request: fetchRequest({
          replicaId: -1,
          maxWaitTime: maxWait,
          minBytes: 1,
          maxBytes,
          isolationLevel: READ_COMMITTED,
          topics: [...byTopic].map(([topic, partitions]) => ({
            topic,
            partitions: partitions.map(p => ({
              partition: p.partition,
              fetchOffset: String(p.offset),
              maxBytes: p.maxBytes,
            })),
          })),
        }),
        response: { decode: async bytes => readFetchResponse(bytes), parse: async decoded => decoded },
        requestTimeout: maxWait + REQUEST,
      });
      return response as FetchResponse;
    } catch (error) {
      // as kafkajs itself: a connection that was closed is opened anew by the next request
      await broker.disconnect().catch(() => {});
      throw error;
    }
  }
}

/** As kafkajs asks, but one topic in trouble does not fail the answer about the others. */
async function metadataOf(broker: InnerBroker, topics: readonly string[]): Promise<unknown> {
  const ask = broker.lookupRequest(apiKeys.Metadata, requests.Metadata);
  const { request, response } = ask({ topics, allowAutoTopicCreation: false });
  return broker.connectionPool.send({
    request,
    response: { decode: bytes => response.decode(bytes), parse: async decoded => decoded },
  });
}
