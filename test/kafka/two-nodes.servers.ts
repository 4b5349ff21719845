import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningMillrace, startMillrace } from '../../src/main.ts';
import { sharedBroker } from '../servers/shared-broker.ts';
import { until } from '../until.ts';
import { Topics } from './topics.ts';

let topics: Topics;
let folder: string;
let orders: string;
const servers: RunningMillrace[] = [];

const CREATE = {
  type: 'CreateInvoice',
  data: {
    customer_id: 'acme',
    customer_name: 'ACME',
    customer_email: 'bills@acme.example',
    currency: 'EUR',
    issue_date: '2026-01-01',
    due_date: '2026-12-31',
    line_items: [],
  },
};

beforeAll(async () => {
  topics = new Topics((await sharedBroker()).address);
  folder = mkdtempSync(join(tmpdir(), 'millrace-nodes-'));
  for (const name of ['views', 'pipelines']) mkdirSync(join(folder, name));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write(
    'pipelines/kafka.yaml',
    `kafka:\n  brokers: ["${topics.settings.brokers[0]}"]\n  commands: { group: nodes-${randomBytes(4).toString('hex')}, partitions: 4 }\n`,
  );
  orders = await topics.create('orders', 2);
  // a second domain: a topic of others and SQL, no line of TypeScript
  write(
    'views/billed_orders.sql',
    `-- Orders with the invoice that bills them.
CREATE STREAM placed_orders (id STRING, invoice_id STRING, goods STRING)
  WITH (KAFKA_TOPIC = '${orders}', VALUE_FORMAT = 'JSON');
CREATE STREAM invoiced (type STRING, invoice_id STRING, customer_name STRING)
  WITH (KAFKA_TOPIC = 'invoice-events', VALUE_FORMAT = 'JSON');
CREATE VIEW billed_orders AS
  SELECT o.id, o.goods, i.customer_name
  FROM placed_orders o JOIN (SELECT * FROM invoiced WHERE type = 'InvoiceCreated') i ON o.invoice_id = i.invoice_id;`,
  );
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(name: string): Promise<RunningMillrace> {
  const server = await startMillrace({
    dataDir: join(folder, name),
    viewsDir: join(folder, 'views'),
    pipelinesDir: join(folder, 'pipelines'),
    port: 0,
    watch: false,
    quiet: true,
    announce: false,
  });
  servers.push(server);
  return server;
}

async function call<T>(
  server: RunningMillrace,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: T }> {
  const response = await fetch(`${server.url}${path}`, {
    ...(body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

const handled = async (server: RunningMillrace): Promise<readonly number[]> => {
  const { body } = await call<{ kafka: { handledPartitions: readonly number[] } }>(server, '/status');
  return body.kafka.handledPartitions;
};

it('two nodes share the commands; each serves what either has handled, joined with a topic of others', async () => {
  const first = await start('first');
  const second = await start('second');
  await until('both have partitions', async () => {
    const [a, b] = [await handled(first), await handled(second)];
    return a.length === 2 && b.length === 2 && new Set([...a, ...b]).size === 4;
  });
  await topics.produce(orders, [
    { key: 'o-1', value: JSON.stringify({ id: 'o-1', invoice_id: 'inv-3', goods: 'paper' }) },
  ]);

  for (let i = 0; i < 8; i++) {
    const via = i % 2 === 0 ? first : second;
    const { status, body } = await call<{ version: number; position: string }>(
      via,
      `/invoices/inv-${i}/commands`,
      CREATE,
    );
    expect([status, body.version]).toEqual([200, 1]);
    // read your write, on the node that was written to
    const read = await call<{ version: number }>(via, `/invoices/inv-${i}`);
    expect([read.status, read.body.version]).toEqual([200, 1]);
    const after = await call<{ rows: unknown[] }>(
      via,
      `/views/billed_orders?after=${body.position}&wait=10s`,
    );
    expect(after.status).toBe(200);
  }
  for (const node of [first, second]) {
    const rows = await until('the join has its row', async () => {
      const { body } = await call<{ rows: unknown[] }>(node, '/views/billed_orders');
      return body.rows.length > 0 ? body.rows : null;
    });
    expect(rows).toMatchObject([{ id: 'o-1', goods: 'paper', customer_name: 'ACME' }]);
  }

  // a position belongs to the log of one node
  const { body: asked } = await call<{ position: string }>(first, '/invoices/inv-0');
  expect((await call<unknown>(second, `/views/billed_orders?after=${asked.position}`)).status).toBe(409);

  await first.stop();
  await until('the other node has all partitions', async () => (await handled(second)).length === 4);
  const again = await call<{ code: string }>(second, '/invoices/inv-0/commands', CREATE);
  expect(again.status).toBe(422);
  const next = await call<{ version: number }>(second, '/invoices/inv-9/commands', CREATE);
  expect([next.status, next.body.version]).toEqual([200, 1]);
});

it('a data folder with commands of its own is refused: they would be lost from sight', async () => {
  const own = await startMillrace({
    dataDir: join(folder, 'own'),
    viewsDir: join(folder, 'views'),
    pipelinesDir: folder,
    port: 0,
    sample: false,
    quiet: true,
    announce: false,
  });
  await call(own, '/invoices/inv-0/commands', CREATE);
  await own.stop();
  await expect(start('own')).rejects.toMatchObject({ code: 'config_invalid' });
});
