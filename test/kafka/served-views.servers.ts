import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type RunningMillrace, startMillrace } from '../../src/main.ts';
import { sharedBroker } from '../servers/shared-broker.ts';
import { until } from '../until.ts';
import { Topics } from './topics.ts';

const ORDERS = process.env.MILLRACE_LONG === '1' ? 1_000_000 : 60_000;

let topics: Topics;
let folder: string;
let server: RunningMillrace | null;

beforeAll(async () => {
  topics = new Topics((await sharedBroker()).address);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-'));
  for (const name of ['views', 'pipelines']) mkdirSync(join(folder, name));
  write('pipelines/kafka.yaml', `kafka:\n  brokers: ["${topics.settings.brokers[0]}"]\n`);
  server = null;
});

afterEach(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

async function start(): Promise<RunningMillrace> {
  server = await startMillrace({
    dataDir: join(folder, 'data'),
    viewsDir: join(folder, 'views'),
    pipelinesDir: join(folder, 'pipelines'),
    port: 0,
    sample: false,
    watch: false,
    quiet: true,
    announce: false,
  });
  return server;
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`${server?.url}${path}`);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

interface Status {
  readonly kafka: {
    readonly state: string;
    readonly notInKafka: readonly string[];
    readonly topics: readonly {
      readonly name: string;
      readonly lag: number;
      readonly incomplete: readonly { readonly from: number; readonly to: number; readonly reason: string }[];
    }[];
  };
  readonly views: readonly { readonly name: string; readonly incomplete?: readonly string[] }[];
}

/** orders[i] at second i; every tenth customer orders more */
const order = (i: number, partitions: number) => ({
  partition: i % partitions,
  key: `order-${i}`,
  value: JSON.stringify({ customer: `c${i % 10}`, amount: i % 7 }),
  timestamp: `${1_700_000_000_000 + i * 1_000}`,
});

it('a topic of eight partitions in order, caught up from scratch, makes nothing late; views answer over it', async () => {
  const topic = await topics.create('orders', 8);
  for (let at = 0; at < ORDERS; at += 20_000) {
    await topics.produce(
      topic,
      Array.from({ length: 20_000 }, (_, i) => order(at + i, 8)),
    );
  }
  const source = `CREATE STREAM orders (customer STRING, amount BIGINT) WITH (KAFKA_TOPIC = '${topic}', VALUE_FORMAT = 'JSON', PARTITIONS = 1);\n`;
  write(
    'views/per_minute.sql',
    `${source}CREATE TABLE per_minute AS SELECT customer, COUNT(*) AS orders, SUM(amount) AS total
      FROM orders WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 0 SECONDS) GROUP BY customer;`,
  );
  write(
    'views/per_customer.sql',
    'SELECT customer, COUNT(*) AS orders, SUM(amount) AS total FROM orders GROUP BY customer;',
  );
  const { log, caughtUp } = await start();
  await until('all records are here', () => log.topic(topic)?.records === ORDERS, 600_000);
  await log.append({ records: [] }).durable;
  await caughtUp();

  const sums = await get<{ rows: { customer: string; orders: number; total: number }[] }>(
    '/views/per_customer',
  );
  const expected = Array.from({ length: 10 }, (_, c) => {
    let total = 0;
    for (let i = c; i < ORDERS; i += 10) total += i % 7;
    return { customer: `c${c}`, orders: ORDERS / 10, total };
  });
  expect(sums.rows.toSorted((a, b) => a.customer.localeCompare(b.customer))).toMatchObject(
    expected.map(e => ({ customer: e.customer, orders: String(e.orders), total: String(e.total) })),
  );
  expect((await get<{ counts: unknown[] }>('/ledger')).counts).toEqual([]);

  const { kafka } = await get<Status>('/status');
  expect(kafka).toMatchObject({
    state: 'following',
    notInKafka: [],
    topics: [{ name: topic, partitions: 8, lag: 0, problem: null, incomplete: [] }],
  });
  const refused = await fetch(`${server?.url}/topics/${topic}/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: 'k', value: '{}' }),
  });
  expect(refused.status).toBe(403);
}, 1_200_000);

it('views over a topic with gaps say so; a restart goes on where the last one ended', async () => {
  const topic = await topics.create('gappy', 2);
  await topics.produce(
    topic,
    Array.from({ length: 100 }, (_, i) => order(i, 2)),
  );
  await topics.admin(async admin => {
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '20' }] });
  });
  write(
    'views/counted.sql',
    `CREATE STREAM gappy (customer STRING) WITH (KAFKA_TOPIC = '${topic}', VALUE_FORMAT = 'JSON');
     SELECT COUNT(*) AS n FROM gappy;`,
  );
  const counted = async (n: number): Promise<void> => {
    await until(`${n} records are here`, () => server?.log.topic(topic)?.records === n);
    await server?.log.append({ records: [] }).durable;
    await server?.caughtUp();
    const { rows } = await get<{ rows: { n: string }[] }>('/views/counted');
    expect(Number(rows[0]?.n)).toBe(n);
  };
  await start();
  await counted(80);
  const status = await get<Status>('/status');
  expect(status.kafka.topics[0]?.incomplete).toMatchObject([{ from: 0, to: 20, reason: 'retention' }]);
  expect(status.views.find(v => v.name === 'counted')?.incomplete).toEqual([topic]);
  await server?.stop();

  await topics.produce(topic, [order(100, 2)]);
  await start();
  await counted(81);
  expect((await get<Status>('/status')).kafka.topics[0]?.incomplete).toHaveLength(1);
}, 60_000);
