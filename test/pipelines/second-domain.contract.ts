import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { newFolder, projectDir, removeFolders } from '../cli/command-line.ts';
import { type StartedServer, startServer } from '../cli/started-server.ts';
import { createCommand, payCommand, SEND } from '../http/invoice-commands.ts';
import { until } from '../until.ts';

/** Records of another domain, by the topic that its files name. */
export interface OtherDomain {
  /** YAML files that are dropped in beside the domain's own */
  readonly yaml: Readonly<Record<string, string>>;
  produce(server: StartedServer, topic: string, records: readonly KeyedRecord[]): Promise<void>;
}

export interface KeyedRecord {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** The files of orders and inventory, as they ship. */
const SQL = [
  'invoices_and_orders.sql',
  'items_to_restock.sql',
  'open_orders.sql',
  'stock_on_hand.sql',
  'sources/inventory.sql',
  'sources/orders.sql',
];
/** their lines in topics.yaml */
const TOPICS = /^ {2}(orders|inventory): .*\n/gm;

const order = (
  id: string,
  status: string,
  invoice: string | null,
  items: Readonly<Record<string, number>>,
) => ({
  key: id,
  value: {
    order_id: id,
    customer_id: 'c1',
    status,
    items: Object.entries(items).map(([sku, quantity]) => ({ sku, quantity })),
    placed_at: Date.UTC(2026, 1, 1),
    invoice_id: invoice,
  },
});
const moved = (sku: string, quantity: number, reason: string) => ({
  key: sku,
  value: { sku, quantity, reason },
});

/** Orders and inventory join a running server by YAML and SQL alone, wherever their topics live. */
export function secondDomain(name: string, setUp: () => Promise<OtherDomain>): void {
  let running: StartedServer | null = null;
  afterEach(async () => {
    await stop();
    removeFolders();
  });

  const start = async (project: string): Promise<StartedServer> => {
    const folders = ['--data', 'data', '--views', 'views', '--pipelines', 'pipelines'];
    const server = await startServer([...folders, '--no-sample'], { cwd: project });
    running = server;
    return server;
  };
  const stop = async (): Promise<void> => {
    const server = running;
    running = null;
    await server?.stop();
  };

  it(`${name}: orders and inventory join in by YAML and SQL alone, and are joined with invoices`, async () => {
    const domain = await setUp();
    const project = projectWithoutOrders();
    let server = await start(project);
    await send(server, 'i-1', createCommand(), SEND);
    expect((await fetch(`${server.url}/views/invoices_and_orders`)).status).toBe(404);

    const dropped = dropIn(project, domain.yaml);
    expect(dropped.filter(file => !/\.(sql|yaml)$/.test(file))).toEqual([]);
    // settings are read at the start; views that need none join the running server
    if (Object.keys(domain.yaml).length > 0) {
      await stop();
      server = await start(project);
    }
    await until('the views are live', () => isLive(server), 60_000);

    await domain.produce(server, 'inventory', [moved('mug', 10, 'delivery'), moved('cap', 1, 'delivery')]);
    await domain.produce(server, 'orders', [
      order('o-1', 'placed', 'i-1', { mug: 4, cap: 3 }),
      order('o-2', 'placed', null, { mug: 7 }),
    ]);
    await until(
      'orders are joined with invoices',
      async () => (await rows(server, 'invoices_and_orders')).length === 2,
    );
    expect(await rows(server, 'invoices_and_orders')).toMatchObject([
      {
        order_id: 'o-1',
        order_status: 'placed',
        invoice_id: 'i-1',
        invoice_status: 'sent',
        balance: '24.04',
      },
      { order_id: 'o-2', order_status: 'placed', invoice_id: null, invoice_status: null, balance: null },
    ]);
    await until(
      'both articles are lacking',
      async () => (await rows(server, 'items_to_restock')).length === 2,
    );
    expect(await rows(server, 'items_to_restock')).toEqual([
      { sku: 'cap', orders: '1', wanted: '3', on_hand: '1', missing: '2' },
      { sku: 'mug', orders: '2', wanted: '11', on_hand: '10', missing: '1' },
    ]);

    // both domains go on
    await domain.produce(server, 'inventory', [moved('mug', -4, 'shipment'), moved('cap', 5, 'delivery')]);
    await domain.produce(server, 'orders', [
      order('o-1', 'shipped', 'i-1', { mug: 4, cap: 3 }),
      order('o-2', 'placed', 'i-2', { mug: 7 }),
    ]);
    await send(server, 'i-2', createCommand());
    const position = await send(server, 'i-1', payCommand('4.04'));
    const expected = [
      {
        order_id: 'o-1',
        order_status: 'shipped',
        invoice_id: 'i-1',
        invoice_status: 'sent',
        balance: '20.00',
      },
      {
        order_id: 'o-2',
        order_status: 'placed',
        invoice_id: 'i-2',
        invoice_status: 'draft',
        balance: '24.04',
      },
    ];
    const joined = (after = '') => rows(server, 'invoices_and_orders', after);
    await until('the orders have moved on', async () => {
      const [first, second] = await joined(`&after=${position}&wait=10s`);
      expect(first).toMatchObject({ balance: '20.00' }); // our own command is read
      return first?.order_status === 'shipped' && second?.invoice_id === 'i-2';
    });
    expect(await joined()).toMatchObject(expected);
    await until(
      'stock has moved on',
      async () => (await rows(server, 'stock_on_hand'))[1]?.movements === '2',
    );
    expect(await rows(server, 'stock_on_hand')).toEqual([
      { sku: 'cap', on_hand: '6', movements: '2' },
      { sku: 'mug', on_hand: '6', movements: '2' },
    ]);
    expect(await rows(server, 'items_to_restock')).toEqual([
      { sku: 'mug', orders: '1', wanted: '7', on_hand: '6', missing: '1' },
    ]);

    await stop();
    server = await start(project);
    await until('the views are live again', () => isLive(server), 60_000);
    expect(await joined()).toMatchObject(expected);
  }, 120_000);
}

/** A copy of the shipped project as it would be without orders and inventory. */
function projectWithoutOrders(): string {
  const project = newFolder();
  for (const folder of ['pipelines', 'views'])
    cpSync(join(projectDir, folder), join(project, folder), { recursive: true });
  for (const folder of ['src', 'node_modules']) symlinkSync(join(projectDir, folder), join(project, folder));
  for (const file of SQL) rmSync(join(project, 'views', file));
  const topics = join(project, 'pipelines', 'topics.yaml');
  const shipped = readFileSync(topics, 'utf8');
  expect(shipped.match(TOPICS)).toHaveLength(2);
  writeFileSync(topics, shipped.replaceAll(TOPICS, ''));
  const left = readdirSync(join(project, 'views'), { recursive: true, encoding: 'utf8' }).filter(
    f => !f.includes('.test.'),
  );
  for (const file of left.filter(f => f.endsWith('.sql'))) {
    expect(readFileSync(join(project, 'views', file), 'utf8'), file).not.toMatch(/\b(orders|inventory)\b/i);
  }
  return project;
}

/** Gives the files that came. */
function dropIn(project: string, yaml: Readonly<Record<string, string>>): string[] {
  mkdirSync(join(project, 'views', 'sources'), { recursive: true });
  for (const file of SQL) copyFileSync(join(projectDir, 'views', file), join(project, 'views', file));
  copyFileSync(join(projectDir, 'pipelines', 'topics.yaml'), join(project, 'pipelines', 'topics.yaml'));
  for (const [file, text] of Object.entries(yaml)) writeFileSync(join(project, 'pipelines', file), text);
  return [...SQL, 'topics.yaml', ...Object.keys(yaml)];
}

async function send(server: StartedServer, invoice: string, ...commands: string[]): Promise<string> {
  let position = '';
  for (const body of commands) {
    const response = await fetch(`${server.url}/invoices/${invoice}/commands`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(response.status).toBe(200);
    ({ position } = (await response.json()) as { position: string });
  }
  return position;
}

async function rows(server: StartedServer, view: string, more = ''): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${server.url}/views/${view}?limit=100${more}`);
  expect(response.status, view).toBe(200);
  return ((await response.json()) as { rows: Record<string, unknown>[] }).rows;
}

async function isLive(server: StartedServer): Promise<boolean> {
  const { views, errors } = (await (await fetch(`${server.url}/status`)).json()) as {
    views: { name: string; state: string }[];
    errors: unknown[];
  };
  const live = views.filter(v => v.state === 'live').map(v => `${v.name}.sql`);
  return errors.length === 0 && SQL.every(file => file.startsWith('sources/') || live.includes(file));
}
