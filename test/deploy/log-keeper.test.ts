import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import type { LogKeeperPorts, UpkeepRequest } from '../../src/deploy/log-keeper.ts';
import { LogKeeper } from '../../src/deploy/log-keeper.ts';
import type { TopicUpkeep } from '../../src/deploy/log-retention.ts';
import { LogRetention } from '../../src/deploy/log-retention.ts';
import { until } from '../until.ts';
import { type DataFolder, dataFolder, manyOrders, type Running, start, VIEWS } from './data-folder.ts';

/** `customers` as table and as stream, and views that read it in each way. */
const CUSTOMERS = {
  names: 'CREATE VIEW names AS SELECT id, name FROM customers;',
  by_city: 'CREATE VIEW by_city AS SELECT city, COUNT(*) AS n FROM customers GROUP BY city;',
  strict_cities: 'CREATE TABLE strict_cities AS SELECT city, COUNT(*) AS n FROM customers GROUP BY city;',
  moves: 'CREATE VIEW moves AS SELECT city, COUNT(*) AS n FROM customer_changes GROUP BY city;',
  named_orders:
    'CREATE STREAM named_orders AS SELECT o.customer AS customer, o.id AS id, c.name AS name FROM orders o LEFT JOIN customers c ON o.customer = c.id;',
};

function customersFolder(): DataFolder {
  const folder = dataFolder(CUSTOMERS);
  mkdirSync(join(folder.viewsDir, 'sources'), { recursive: true });
  const columns = 'name STRING, city STRING';
  const settings =
    "WITH (KAFKA_TOPIC = 'customers', VALUE_FORMAT = 'JSON', KEY_FORMAT = 'KAFKA', PARTITIONS = 1)";
  writeFileSync(
    join(folder.viewsDir, 'sources', 'customers.sql'),
    `CREATE TABLE customers (id STRING PRIMARY KEY, ${columns}) ${settings};
     CREATE STREAM customer_changes (id STRING KEY, ${columns}) ${settings};`,
  );
  return folder;
}

function keeperOf(server: Running, more: Partial<LogKeeperPorts> = {}): LogKeeper {
  return new LogKeeper({
    log: server.log,
    clock: new ManualClock(Date.now()),
    plans: () => server.views.plans(),
    building: () => server.views.deployment.job?.names ?? [],
    committed: () => server.views.deployment.committed,
    handlers: () => [],
    owned: new Map(),
    ownedByKey: new Map(),
    keptFor: new Map(),
    ...more,
  });
}

async function committed(server: Running): Promise<void> {
  await server.caughtUp();
  await until('the views are durable', () => server.views.deployment.committed === server.log.end());
}

const order = (server: Running, more: Partial<UpkeepRequest> = {}): UpkeepRequest => ({
  kind: 'trim',
  topic: 'orders',
  before: { seq: server.log.end() },
  by: 'ada',
  acceptIncompleteRebuilds: false,
  ...more,
});

describe('trimming a topic', () => {
  it('that views read is refused, naming all that can no longer be rebuilt exactly', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(20));
    await committed(server);
    await expect(keeperOf(server).perform(order(server))).rejects.toMatchObject({
      code: 'topic_in_use',
      message:
        'topic "orders" is read by large, large_totals, totals: after this they could no longer be rebuilt exactly',
      hint: expect.stringContaining('--accept-incomplete-rebuilds'),
      data: { views: ['large', 'large_totals', 'totals'] },
    });
    expect(server.log.acts()).toEqual([]);
    expect(keeperOf(server).preview(order(server))).toMatchObject({ records: 20 });
  });

  it('that nobody reads needs no consent', async () => {
    const server = await start(dataFolder());
    server.log.createTopic({ name: 'other', partitions: 1, keyIndex: false });
    await server.log.append({ records: [{ topic: 'other', key: null, value: null }] }).durable;
    const { act } = await keeperOf(server).perform(order(server, { topic: 'other' }));
    expect(act).toMatchObject({ kind: 'trim', by: 'ada', incomplete: [] });
  });

  it('with consent leaves the served rows; a rebuild has the rest, and says since when', async () => {
    const folder = dataFolder();
    let server = await start(folder);
    await server.orders(manyOrders(100));
    const cut = server.log.end();
    await server.orders(manyOrders(50, 100));
    await committed(server);
    const rows = server.rows('totals');
    const request = order(server, { before: { seq: cut }, acceptIncompleteRebuilds: true });
    const { act, reclaimed } = await keeperOf(server).perform(request);
    await reclaimed;
    expect(act.incomplete).toEqual(['large', 'large_totals', 'totals']);
    expect(server.rows('totals')).toEqual(rows);
    expect(server.views.status('totals')).not.toHaveProperty('since');

    await server.stop();
    server = await start(folder);
    await server.caughtUp();
    expect(server.rows('totals'), 'a restart is no rebuild').toEqual(rows);
    await server.views.replay('totals');
    await server.views.settled();
    await server.caughtUp();
    expect(server.rows('totals')).not.toEqual(rows);
    expect(server.rows('totals')).toEqual(server.expected().get('totals'));
    const since = { position: cut, time: server.log.topic('orders')?.floor?.since };
    expect(server.views.status('totals')).toMatchObject({
      since,
      notices: [expect.stringMatching(/^its history begins at \d{4}-/)],
    });

    await committed(server);
    await server.stop();
    server = await start(folder);
    expect(server.views.status('totals'), 'it is remembered').toMatchObject({ since });
    expect(server.views.status('large')).not.toHaveProperty('since');
  });

  it('that is being read to build a view waits for the build', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(20));
    await committed(server);
    const keeper = keeperOf(server, { building: () => ['totals'] });
    const request = order(server, { acceptIncompleteRebuilds: true });
    await expect(keeper.perform(request)).rejects.toMatchObject({
      code: 'topic_in_use',
      message: 'topic "orders" is being read to build totals',
    });
  });

  it('never takes what a handler has not handled, or a view has not made durable', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(20));
    await committed(server);
    const request = order(server, { acceptIncompleteRebuilds: true });
    const behind = keeperOf(server, {
      handlers: () => [{ name: 'reaction mail', topic: 'orders', position: 3 }],
    });
    await expect(behind.perform(request)).rejects.toMatchObject({
      code: 'topic_in_use',
      message: 'topic "orders" has records that reaction mail has not handled yet',
    });
    expect(behind.highestCut('trim', 'orders')).toBe(3);
    const volatile = keeperOf(server, { committed: () => 5 });
    await expect(volatile.perform(request)).rejects.toMatchObject({ code: 'view_behind' });
    expect(volatile.highestCut('trim', 'orders')).toBe(5);
  });

  it('that its writer needs is refused', async () => {
    const server = await start(dataFolder());
    await server.caughtUp();
    const owned = keeperOf(server, { owned: new Map([['orders', 'they are needed']]) });
    await expect(owned.perform(order(server))).rejects.toMatchObject({ code: 'topic_protected' });
    expect(owned.highestCut('compact', 'orders')).toBeNull();
    const byKey = keeperOf(server, { ownedByKey: new Map([['orders', 'the last ones are needed']]) });
    await expect(byKey.perform(order(server))).rejects.toMatchObject({ hint: 'it can be compacted' });
    expect(byKey.highestCut('trim', 'orders')).toBeNull();
    expect(byKey.highestCut('compact', 'orders')).not.toBeNull();
  });
});

it('a view over another topic has the same rows at every position after a trim, also where only the clock moved it', async () => {
  const open = 'CREATE VIEW open AS SELECT id FROM offers WHERE since <= NOW() AND ends > NOW();';
  const folder = dataFolder({ open });
  writeFileSync(
    join(folder.viewsDir, 'sources', 'offers.sql'),
    "CREATE TABLE offers (id STRING PRIMARY KEY, since TIMESTAMP, ends TIMESTAMP) WITH (KAFKA_TOPIC = 'offers', VALUE_FORMAT = 'JSON', PARTITIONS = 1);",
  );
  const clock = new ManualClock(1_000);
  const server = await start(folder, { clock });
  for (let i = 0; i < 120; i++) {
    clock.advance(7);
    const now = clock.now();
    const value = Buffer.from(JSON.stringify({ since: now + 50, ends: now + 200 }));
    const record = i % 10 === 0 ? { topic: 'offers', key: Buffer.from(`o${i}`), value } : null;
    await server.log.append({ records: [record ?? { topic: 'orders', key: null, value: null }] }).durable;
  }
  await committed(server);
  const end = server.log.end();
  const everywhere = () => Array.from({ length: end }, (_, p) => server.expected(undefined, p).get('open'));
  const before = everywhere();
  expect(new Set(before.map(rows => JSON.stringify(rows))).size).toBeGreaterThan(15);
  const { reclaimed } = await keeperOf(server).perform(order(server, { before: { seq: end } }));
  await reclaimed;
  expect(server.topic('orders')).toEqual([]);
  expect(everywhere()).toEqual(before);
  await server.views.replay('open');
  await server.views.settled();
  await server.expectExact();
  expect(server.views.status('open')).not.toHaveProperty('since');
});

describe('compacting a topic', () => {
  async function withCustomers(): Promise<Running> {
    const server = await start(customersFolder());
    const customer = async (id: string, name: string | null, city = '') => {
      const value = name === null ? null : Buffer.from(JSON.stringify({ name, city }));
      await server.log.append({ records: [{ topic: 'customers', key: Buffer.from(id), value }] }).durable;
    };
    await customer('c1', 'Ada', 'Paris');
    await customer('c2', 'Bob', 'Rome');
    await server.orders([['o1', 'c1', 5]]);
    await customer('c1', 'Ada', 'Rome');
    await customer('c3', 'Cyd', 'Oslo');
    await customer('c3', null);
    await server.orders([['o2', 'c1', 5]]);
    await committed(server);
    return server;
  }

  it('names the views that see more than the last record of each key', async () => {
    const server = await withCustomers();
    expect(keeperOf(server).incomplete('compact', 'customers')).toEqual([
      'moves',
      'named_orders',
      'strict_cities',
    ]);
    await expect(
      keeperOf(server).perform(order(server, { kind: 'compact', topic: 'customers' })),
    ).rejects.toMatchObject({ code: 'topic_in_use' });
  });

  it('leaves views that read it as a table with the same rows after a rebuild, and without a stamp', async () => {
    const server = await withCustomers();
    const rows = ['names', 'by_city'].map(name => server.rows(name));
    const request = order(server, { kind: 'compact', topic: 'customers', acceptIncompleteRebuilds: true });
    await (await keeperOf(server).perform(request)).reclaimed;
    expect(server.topic('customers').map(([key]) => key)).toEqual(['c2', 'c1', 'c3']);
    for (const name of ['names', 'by_city', 'moves']) {
      await server.views.replay(name);
      await server.views.settled();
    }
    expect(['names', 'by_city'].map(name => server.rows(name))).toEqual(rows);
    expect(server.views.status('by_city')).not.toHaveProperty('since');
    expect(server.views.status('moves')).toHaveProperty('since');
    await server.caughtUp();
    expect(server.rows('names')).toEqual(server.expected().get('names'));
  });
});

describe('cleanup: compact', () => {
  it('compacts once a day when something came, and takes tombstones as long after', async () => {
    const clock = new ManualClock(Date.UTC(2030, 0, 1));
    const server = await start(dataFolder({}), { clock });
    const compaction = { keepTombstonesFor: 3_600_000, acceptIncompleteRebuilds: false };
    const cleanup = new LogRetention({
      log: server.log,
      keeper: keeperOf(server, { clock }),
      clock,
      topics: new Map([['orders', { retention: null, compaction }]]),
      report: () => {},
    });
    const keys = () => server.topic('orders').map(([key]) => key);
    const day = async (): Promise<void> => {
      clock.advance(86_400_000);
      await committed(server);
      await cleanup.look();
    };
    await server.orders([
      ['o1', 'c', 1],
      ['o2', 'c', 1],
      ['o1', 'c', 2],
    ]);
    await server.log.append({ records: [{ topic: 'orders', key: Buffer.from('o2'), value: null }] }).durable;
    await committed(server);
    await cleanup.look();
    expect(keys()).toEqual(['o1', 'o2']);
    await cleanup.look();
    expect(server.log.acts()).toHaveLength(1);
    await server.orders([['o3', 'c', 1]]);
    await cleanup.look();
    expect(server.log.acts(), 'not before a day has gone by').toHaveLength(1);
    await day();
    expect(keys()).toEqual(['o1', 'o3']);
    await day();
    expect(server.log.acts(), 'nothing came').toHaveLength(2);
  });
});

describe('retention', () => {
  const HOUR = 3_600_000;
  const asked = (more: Partial<NonNullable<TopicUpkeep['retention']>>): TopicUpkeep => ({
    retention: { age: null, size: null, acceptIncompleteRebuilds: false, ...more },
    compaction: null,
  });

  /** A topic without readers, one record an hour for n hours, sealed each ten; and the clock an hour later. */
  async function hourly(n: number, views: Readonly<Record<string, string>> = {}) {
    const clock = new ManualClock(Date.UTC(2030, 0, 1));
    const server = await start(dataFolder(views), { clock });
    for (let i = 0; i < n; i++) {
      await server.orders([[`o${i}`, 'c', 1]]);
      clock.advance(HOUR);
      if (i % 10 === 9) await server.log.seal();
    }
    await committed(server);
    const reports: string[] = [];
    const keeper = keeperOf(server, { clock });
    const retention = (upkeep: TopicUpkeep) =>
      new LogRetention({
        log: server.log,
        keeper,
        clock,
        topics: new Map([['orders', upkeep]]),
        report: text => reports.push(text),
      });
    return { server, clock, reports, retention };
  }

  it('by age takes what is older, in an act of its own', async () => {
    const { server, retention } = await hourly(40);
    await retention(asked({ age: 20 * HOUR })).look();
    expect(server.topic('orders')).toHaveLength(20);
    expect(server.log.acts()).toMatchObject([
      { kind: 'retention', by: 'retention', topic: 'orders', incomplete: [] },
    ]);
  });

  it('waits until an eighth more has gathered', async () => {
    const { server, clock, retention } = await hourly(40);
    const daily = retention(asked({ age: 20 * HOUR }));
    await daily.look();
    clock.advance(2 * HOUR);
    await daily.look();
    expect(server.topic('orders')).toHaveLength(20);
    clock.advance(HOUR);
    await daily.look();
    expect(server.topic('orders')).toHaveLength(17);
    expect(server.log.acts()).toHaveLength(2);
  });

  it('by size takes the oldest sealed blocks beyond it', async () => {
    const { server, retention } = await hourly(40);
    const block = 10 * (48 + '{"customer":"c","amount":1}'.length + 2);
    await retention(asked({ size: 2.5 * block })).look();
    expect(server.topic('orders')[0]?.[0]).toBe('o20');
    expect(server.topic('orders')).toHaveLength(20);
  });

  it('takes nothing from a topic that views read, and says so once; with consent it does', async () => {
    const { server, reports, retention } = await hourly(40, VIEWS);
    const without = retention(asked({ age: 20 * HOUR }));
    await without.look();
    await without.look();
    expect(server.topic('orders')).toHaveLength(40);
    expect(reports).toEqual([
      expect.stringContaining('retention of topic orders is not applied: large, large_totals, totals'),
    ]);
    await retention(asked({ age: 20 * HOUR, acceptIncompleteRebuilds: true })).look();
    expect(server.topic('orders')).toHaveLength(20);
    expect(server.log.acts()[0]?.incomplete).toEqual(['large', 'large_totals', 'totals']);
  });
});
