import { randomBytes } from 'node:crypto';
import { Kafka, logLevel, type Message } from 'kafkajs';
import type { KafkaSettings } from '../../src/kafka/kafka-settings.ts';
import { until } from '../until.ts';

/** A broker as a producer of other teams sees it. */
export class Topics {
  readonly settings: KafkaSettings;
  readonly kafka: Kafka;

  constructor(address: string) {
    this.settings = { brokers: [address], clientId: 'millrace-test', tls: null, sasl: null, exclude: [] };
    this.kafka = new Kafka({
      brokers: [address],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 5, maxRetryTime: 200, retries: 50 },
    });
  }

  /** A topic with a name that nobody has yet. */
  async create(
    name: string,
    partitions: number,
    config: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const topic = `${name}-${randomBytes(4).toString('hex')}`;
    await this.createNamed(topic, partitions, config);
    return topic;
  }

  async createNamed(
    topic: string,
    partitions: number,
    config: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const configEntries = Object.entries(config).map(([n, value]) => ({ name: n, value }));
    await this.admin(async admin => {
      await admin.createTopics({
        waitForLeaders: false,
        topics: [{ topic, numPartitions: partitions, configEntries }],
      });
      // a broker may not have heard of a topic that the controller has made
      await until(`${topic} has leaders`, async () => {
        const found = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => null);
        const made = found?.topics[0]?.partitions ?? [];
        return made.length === partitions && made.every(p => p.leader >= 0);
      });
    });
  }

  /** Topics of one partition, many at once, that take records of any time. */
  async createAll(names: readonly string[]): Promise<void> {
    const configEntries = [{ name: 'message.timestamp.after.max.ms', value: String(2n ** 63n - 1n) }];
    await this.admin(async admin => {
      await admin.createTopics({
        waitForLeaders: false,
        topics: names.map(topic => ({ topic, numPartitions: 1, configEntries })),
      });
      await until('all topics have leaders', async () => {
        const found = await admin.fetchTopicMetadata({ topics: [...names] }).catch(() => null);
        return found?.topics.every(t => t.partitions.length === 1 && t.partitions.every(p => p.leader >= 0));
      });
    });
  }

  async admin<T>(work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }

  async produce(topic: string, messages: readonly Message[], compression = 0): Promise<void> {
    // the client sends again what it is not sure of: idempotent, so that it is there once
    const producer = this.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    try {
      for (let at = 0; at < messages.length; at += 5_000) {
        await producer.send({ topic, messages: messages.slice(at, at + 5_000), compression });
      }
    } finally {
      await producer.disconnect();
    }
  }
}
