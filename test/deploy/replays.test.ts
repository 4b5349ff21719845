import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { dataFolder, manyOrders, type Running, start, VIEWS } from './data-folder.ts';

const versionOf = (server: Running, name: string): string | undefined =>
  server.views.deployment.served(name)?.version;

describe('a replay', () => {
  it('builds a view and its dependents beside the served ones, and switches', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(2_000));
    await server.caughtUp();
    const before = ['large', 'large_totals', 'totals'].map(n => versionOf(server, n));
    const rows = server.rows('large_totals');
    const status = await server.views.replay('LARGE');
    expect(status).toMatchObject({ name: 'large', state: 'building', serving: true });
    await until('the replay is live', () => {
      expect(server.rows('large_totals')).toEqual(rows);
      return versionOf(server, 'large') !== before[0];
    });
    expect(versionOf(server, 'large_totals')).not.toBe(before[1]);
    expect(versionOf(server, 'totals')).toBe(before[2]);
    await server.expectExact();
  });

  it('can be cancelled: the served version goes on, nothing of the build stays', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(2_000));
    await server.caughtUp();
    const versions = server.folder.versions();
    await server.views.replay('totals');
    expect(await server.views.cancelReplay('totals')).toBe(true);
    await server.views.settled();
    expect(await server.views.cancelReplay('totals')).toBe(false);
    expect(server.views.status('totals')).toMatchObject({ state: 'live', build: null });
    await until('the build is gone from the disk', () => server.folder.versions().length === 3);
    expect(server.folder.versions()).toEqual(versions);
    await server.expectExact();
  });

  it('cancelled while a view is new leaves it unbuilt until it is asked for again', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(100));
    await server.caughtUp();
    server.folder.write('small', 'SELECT id FROM orders WHERE amount < 5;');
    server.views.refresh();
    expect(await server.views.cancelReplay('small')).toBe(true);
    await server.views.settled();
    expect(server.views.status('small')).toMatchObject({ state: 'failed', serving: false });
    expect(server.views.status('small').errors.join()).toMatch(/cancelled/);
    await server.views.replay('small');
    await server.expectExact();
  });

  it('killed half-way leaves the served version as it is, and begins again', async () => {
    const folder = dataFolder();
    const first = await start(folder);
    await first.orders(manyOrders(3_000));
    await first.expectExact();
    const versions = folder.versions();
    await first.stop();
    const child = spawn(
      process.execPath,
      [new URL('./replaying-process.ts', import.meta.url).pathname, folder.dir],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const exited = new Promise(resolve => child.once('exit', resolve));
    for await (const line of createInterface({ input: child.stdout })) if (line === 'replaying') break;
    child.kill('SIGKILL');
    await exited;
    const after = await start(folder);
    expect(folder.versions()).toEqual(expect.arrayContaining(versions));
    expect(after.views.deployment.job?.names).toContain('large');
    await after.expectExact();
  });
});

describe('the topic of a derived stream', () => {
  const expected = (server: Running): string[] =>
    server
      .expected()
      .get('large')
      ?.map(r => String(r[0])) ?? [];
  const written = (server: Running): string[] => server.topic('large').map(([key]) => key);

  it('is filled from history once, and gets each record once over restarts and replays', async () => {
    const folder = dataFolder();
    let server = await start(folder);
    await server.orders(manyOrders(1_500));
    await server.expectExact();
    expect(written(server)).toEqual(expected(server));
    for (let round = 0; round < 3; round++) {
      await server.orders(manyOrders(200, 2_000 + round * 1_000));
      if (round === 1) await server.views.replay('large');
      const more = server.orders(manyOrders(200, 2_500 + round * 1_000));
      if (round !== 1) await server.stop().catch(() => {});
      await more;
      if (round !== 1) server = await start(folder);
      await server.expectExact();
      expect(written(server), `round ${round}`).toEqual(expected(server));
    }
    expect(written(server).length).toBeGreaterThan(1_000);
  });

  it('goes on with the new version when the view changes: what was written stays', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(300));
    await server.caughtUp();
    const before = written(server);
    server.folder.write('large', VIEWS.large.replace('amount > 50', 'amount > 90'));
    server.views.refresh();
    await server.expectExact();
    expect(written(server)).toEqual(before);
    await server.orders([
      ['x', 'c', 60],
      ['y', 'c', 95],
    ]);
    await server.expectExact();
    expect(written(server)).toEqual([...before, 'y']);
  });

  it('of another name is filled from history too', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(300));
    await server.caughtUp();
    server.folder.write('large', VIEWS.large.replace("'large'", "'large-orders'"));
    server.views.refresh();
    await server.expectExact();
    expect(server.topic('large-orders').map(([key]) => key)).toEqual(expected(server));
  });
});

describe('a view that throws', () => {
  const FRAGILE = 'CREATE TABLE fragile AS SELECT id, FRAGILE(customer) AS customer FROM orders GROUP BY id;';

  it('while it is live stands still and says why; the others go on; a mended file serves again', async () => {
    const folder = dataFolder({ ...VIEWS, fragile: FRAGILE });
    const server = await start(folder);
    await server.orders(manyOrders(20));
    await server.expectExact();
    await server.orders([
      ['a', 'fine', 1],
      ['b', 'boom', 2],
      ['c', 'fine', 3],
    ]);
    await server.caughtUp();
    const expectStopped = (running: Running): void => {
      const status = running.views.status('fragile');
      expect(status).toMatchObject({ state: 'failed', serving: true });
      expect(status.errors.join()).toMatch(/a bug in FRAGILE/);
      expect(status.position).toBeLessThan(running.views.position());
      expect(running.rows('fragile')[0]).toEqual(['a', 'fine']);
      expect(running.rows('fragile')).toHaveLength(21);
      for (const name of ['totals', 'large']) {
        expect(running.rows(name)).toEqual(running.expected('fragile').get(name));
      }
    };
    expectStopped(server);
    await server.stop();
    const again = await start(folder);
    await again.orders(manyOrders(20, 100));
    await again.caughtUp();
    expectStopped(again);
    folder.write('fragile', FRAGILE.replace('(customer)', "(REPLACE(customer, 'boom', 'bang'))"));
    again.views.refresh();
    await again.expectExact();
  });

  it('while it is built fails alone: the others are built, and what it served before goes on', async () => {
    const folder = dataFolder({ ...VIEWS, fragile: FRAGILE.replace('FRAGILE', 'MAX') });
    const server = await start(folder);
    await server.orders([['b', 'boom', 2], ...manyOrders(20)]);
    await server.caughtUp();
    folder.write('fragile', FRAGILE);
    folder.write('small', 'SELECT id FROM orders WHERE amount < 5;');
    folder.write('over_fragile', 'SELECT customer, COUNT(*) AS n FROM fragile GROUP BY customer;');
    server.views.refresh();
    await server.caughtUp();
    expect(server.views.list().map(v => [v.name, v.state, v.serving])).toEqual([
      ['fragile', 'failed', true],
      ['large', 'live', true],
      ['large_totals', 'live', true],
      ['over_fragile', 'failed', false],
      ['small', 'live', true],
      ['totals', 'live', true],
    ]);
    expect(server.views.status('fragile').errors.join()).toMatch(/the build failed: a bug in FRAGILE/);
    expect(server.views.status('over_fragile').errors.join()).toMatch(/fragile, whose build failed/);
    expect(server.rows('fragile')).toHaveLength(21);
    expect(server.rows('small')).toEqual(server.expected('fragile').get('small'));
  });
});

describe('a live worker that ends', () => {
  it('is started anew; readers, subscribers and topics notice nothing', async () => {
    const folder = dataFolder({
      ...VIEWS,
      fragile: 'SELECT customer, FRAGILE(id) AS id FROM orders GROUP BY customer;',
    });
    const server = await start(folder);
    await server.orders(manyOrders(100));
    await server.expectExact();
    const heard: string[] = [];
    server.views.subscribe('large', null, {
      changes: changes => heard.push(...changes.map(c => String(c.row[0]))),
      reset: () => expect.unreachable('the version stays'),
    });
    let position = server.views.position();
    for (let round = 0; round < 3; round++) {
      const from = 1_000 * (round + 1);
      const sent = server.orders([
        ...manyOrders(50, from),
        [`exit ${folder.dir}/ended${round}`, 'x', 99],
        ...manyOrders(50, from + 500),
      ]);
      await until(`worker ${round} has ended and another one is there`, () => {
        expect(server.views.position()).toBeGreaterThanOrEqual(position);
        position = server.views.position();
        return server.reports.length > round;
      });
      await sent;
      await server.expectExact();
    }
    const large =
      server
        .expected()
        .get('large')
        ?.map(r => String(r[0])) ?? [];
    expect(server.topic('large').map(([key]) => key)).toEqual(large);
    expect(heard).toEqual(large.slice(-heard.length));
    expect(heard.length).toBeGreaterThan(100);
    expect(server.reports.every(r => r.startsWith('the live worker failed'))).toBe(true);
  });
});

describe('the changes of a view', () => {
  it('bring a snapshot to the rows at every later position', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(50));
    await server.caughtUp();
    for (const name of ['totals', 'large', 'large_totals']) {
      const view = server.views.open(name);
      const keyed = view.key.length > 0;
      const id = (row: readonly unknown[]): string => String(view.key.map(i => row[i]));
      let serial = 0;
      const rows = new Map<string, unknown>();
      for (const { row } of view.scan()) rows.set(keyed ? id(row) : String(serial++), row);
      const { position } = view;
      const checked: number[] = [];
      const apply = (
        changes: Parameters<Parameters<typeof server.views.subscribe>[2]['changes']>[0],
      ): void => {
        for (const change of changes) {
          if (change.op === 'delete') rows.delete(id(change.row));
          else rows.set(keyed ? id(change.row) : String(serial++), change.row);
        }
      };
      const subscription = server.views.subscribe(name, position, {
        changes: (changes, at) => {
          apply(changes);
          const now = server.views.open(name);
          expect(now.position).toBe(at);
          const sorted = (all: Iterable<unknown>): string[] =>
            [...all].map(r => JSON.stringify(r, (_, v) => (typeof v === 'bigint' ? `${v}` : v))).sort();
          expect(sorted(rows.values()), `${name} at ${at}`).toEqual(sorted([...now.scan()].map(r => r.row)));
          checked.push(at);
        },
        reset: () => expect.unreachable('nothing replaces the view'),
      });
      for (let i = 0; i < 5; i++) {
        await server.orders(manyOrders(7, 1_000 + i * 10));
        await server.caughtUp();
      }
      expect(checked.length).toBeGreaterThan(2);
      subscription.close();
    }
  });

  it('can be taken up again at a position in between, and no more when that is too old', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(20, 500));
    await server.caughtUp();
    const { position } = server.views.open('large');
    await server.orders(manyOrders(300));
    await server.caughtUp();
    const seen: string[] = [];
    // records of derived topics follow the orders
    const middle = position + 150;
    server.views
      .subscribe('large', middle, {
        changes: changes => seen.push(...changes.map(c => String(c.row[0]))),
        reset: () => {},
      })
      .close();
    const all = server.rows('large').map(r => String(r[0]));
    expect(seen.length).toBeGreaterThan(20);
    expect(all.slice(-seen.length)).toEqual(seen);
    expect(all.length).toBeGreaterThan(seen.length);
    const listener = { changes: () => {}, reset: () => {} };
    expect(() => server.views.subscribe('large', 0, listener)).toThrow(
      expect.objectContaining({ code: 'position_expired' }),
    );
    expect(() => server.views.subscribe('large', server.log.end() + 1, listener)).toThrow(
      expect.objectContaining({ code: 'position_ahead' }),
    );
  });

  it('end with a reset when another version takes over', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(50));
    await server.caughtUp();
    let resets = 0;
    server.views.subscribe('totals', null, { changes: () => {}, reset: () => resets++ });
    server.views.subscribe('large', null, { changes: () => {}, reset: () => expect.unreachable() });
    await server.views.replay('totals');
    await server.caughtUp();
    expect(resets).toBe(1);
  });
});
