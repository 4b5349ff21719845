import { systemClock } from '../../src/core/clock.ts';
import { kafkaClient, QUICK_RETRIES } from '../../src/kafka/kafka-client.ts';
import { OutputTopic } from '../../src/kafka/output-topic.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';

/** A node that fills a topic and writes it to Kafka: `output-child.ts <folder> <broker> <topic> <records>`. It is killed. */
const [dir = '', broker = '', topic = '', records = ''] = process.argv.slice(2);
const log = await openEmbeddedLog({ dir, clock: systemClock });
const partitions = 3;
log.createTopic({ name: topic, partitions, keyIndex: false });
const settings = { brokers: [broker], clientId: 'child', tls: null, sasl: null, exclude: [] };
const kafka = kafkaClient(settings, QUICK_RETRIES);
const output = new OutputTopic({
  kafka,
  settings,
  log,
  topic,
  upsert: false,
  onError: e => process.stderr.write(`${e}\n`),
});
setInterval(() => {
  const { records: made = 0 } = log.topic(topic) ?? {};
  const fresh = Array.from({ length: Math.min(40, Number(records) - made) }, (_, i) => ({
    topic,
    key: Buffer.from(`k${(made + i) % 7}`),
    value: Buffer.from(`${made + i}`),
    timestamp: 1_700_000_000_000 + made + i,
  }));
  if (fresh.length > 0) log.append({ records: fresh });
  const { lag, state } = output.status;
  process.stdout.write(`${JSON.stringify({ made, lag, state })}\n`);
}, 5);
