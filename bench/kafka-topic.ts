import { kafkaClient } from '../src/kafka/kafka-client.ts';
import type { AppendRecord } from '../src/log/event-log.ts';

/** about 800 KB: brokers take one MB */
const BATCH = 4_000;

/** Makes a topic of one partition, kept for ever, and produces records into it in their order. */
export async function fillTopic(
  broker: string,
  topic: string,
  records: Iterable<AppendRecord>,
): Promise<void> {
  const kafka = kafkaClient({ brokers: [broker], clientId: 'bench', tls: null, sasl: null, exclude: [] });
  const admin = kafka.admin();
  await admin.connect();
  // the events lie in the past: a broker would take them for too old
  const configEntries = [{ name: 'retention.ms', value: '-1' }];
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 1, configEntries }] });
  while ((await admin.fetchTopicOffsets(topic).catch(() => [])).length === 0) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  await admin.disconnect();
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  let batch: { key: null; value: Buffer; timestamp: string }[] = [];
  const send = async () => {
    await producer.send({ topic, acks: -1, messages: batch });
    batch = [];
  };
  for (const { value, timestamp } of records) {
    batch.push({ key: null, value: Buffer.from(value ?? []), timestamp: String(timestamp) });
    if (batch.length === BATCH) await send();
  }
  if (batch.length > 0) await send();
  await producer.disconnect();
}
