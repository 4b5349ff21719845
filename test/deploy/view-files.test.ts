import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { until } from '../until.ts';
import { dataFolder, manyOrders, start, VIEWS } from './data-folder.ts';

describe('the files of views/', () => {
  it('are all built at the first start', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(500));
    await server.expectExact();
    expect(server.folder.versions()).toHaveLength(3);
    expect(server.reports).toEqual([]);
  });

  it('serve at once after a stop and a start, nothing is built again', async () => {
    const folder = dataFolder();
    const before = await start(folder);
    await before.orders(manyOrders(500));
    await before.expectExact();
    const versions = folder.versions();
    const position = before.views.position();
    await before.stop();
    const after = await start(folder);
    expect(after.views.deployment.job).toBeNull();
    expect(after.views.position()).toBeGreaterThanOrEqual(position);
    expect(after.views.list().map(v => v.state)).toEqual(['live', 'live', 'live']);
    await after.orders(manyOrders(100, 500));
    await after.expectExact();
    expect(folder.versions()).toEqual(versions);
  });

  it('are watched: a dropped file is built from history and served', async () => {
    const server = await start(dataFolder(), { watch: true });
    await server.orders(manyOrders(800));
    await server.caughtUp();
    server.folder.write('small', 'SELECT id, amount FROM orders WHERE amount < 5;');
    await until('the dropped view serves', () =>
      server.views.list().some(v => v.name === 'small' && v.serving),
    );
    await server.expectExact();
  });

  it('of a new view answer "being built", with progress, until it serves', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(800));
    await server.caughtUp();
    server.folder.write('small', 'SELECT id, amount FROM orders WHERE amount < 5;');
    server.views.refresh();
    expect(server.views.status('small')).toMatchObject({ state: 'building', serving: false, position: null });
    expect(server.views.status('small').build?.fraction).toBe(0);
    expect(() => server.views.open('small')).toThrow(expect.objectContaining({ code: 'view_building' }));
    await server.expectExact();
  });

  it('changed: the version before serves until the new one is caught up, dependents switch together', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(1_000));
    await server.expectExact();
    const prints = () => ['large', 'large_totals', 'totals'].map(n => server.views.open(n).fingerprint);
    const before = prints();
    const positions: number[] = [];
    server.folder.write('large', VIEWS.large.replace('amount > 50', 'amount > 90'));
    server.views.refresh();
    const after = await until('the change is live', async () => {
      const now = prints();
      positions.push(server.views.open('large').position, server.views.open('large_totals').position);
      expect(now[0] === before[0], 'both are old or both are new').toBe(now[1] === before[1]);
      if (now[0] === before[0]) expect(server.rows('large').length).toBeGreaterThan(400);
      await server.orders(manyOrders(1, 2_000 + positions.length));
      return now[0] === before[0] ? null : now;
    });
    expect(after[2]).toBe(before[2]);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    await server.expectExact();
    await until('the old versions are gone from the disk', () => server.folder.versions().length === 3);
  });

  it('broken: the caret error stands in the status, the last good version serves', async () => {
    const folder = dataFolder();
    const server = await start(folder);
    await server.orders(manyOrders(100));
    await server.caughtUp();
    const rows = server.rows('totals');
    folder.write(
      'totals',
      'CREATE TABLE totals AS SELECT customer, SUM(amout) AS total FROM orders GROUP BY customer;',
    );
    server.views.refresh();
    await server.views.settled();
    const status = server.views.status('totals');
    expect(status).toMatchObject({ state: 'failed', serving: true });
    expect(status.errors[0]).toMatch(/totals\.sql:1:\d+: .*amout.*\^\^\^\^\^/s);
    expect(server.rows('totals')).toEqual(rows);
    // and it does so after a restart too
    await server.stop();
    const again = await start(folder);
    expect(again.views.status('totals')).toMatchObject({ state: 'failed', serving: true });
    await again.orders(manyOrders(50, 100));
    await again.caughtUp();
    folder.write('totals', VIEWS.totals);
    again.views.refresh();
    await again.expectExact();
  });

  it('removed: the view goes, its rows too', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(50));
    await server.caughtUp();
    server.folder.remove('totals');
    server.views.refresh();
    await server.expectExact();
    expect(() => server.views.open('totals')).toThrow(expect.objectContaining({ code: 'unknown_view' }));
    await until('the files are gone', () => server.folder.versions().length === 2);
  });

  it('removed, but read by another view: it stays, and the status says by whom', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(50));
    await server.caughtUp();
    server.folder.remove('large');
    server.views.refresh();
    await server.views.settled();
    expect(server.views.status('large')).toMatchObject({ state: 'live', serving: true });
    expect(server.views.status('large').notices.join()).toMatch(/read by large_totals/);
    server.folder.remove('large_totals');
    server.views.refresh();
    await server.expectExact();
    expect(server.views.list().map(v => v.name)).toEqual(['totals']);
  });

  it('that hold no text, too much or cannot be read are told in a sentence, and the last good version serves', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(50));
    await server.caughtUp();
    const rows = server.rows('totals');
    const path = join(server.folder.viewsDir, 'totals.sql');
    const faults: (readonly [says: string, spoil: () => void])[] = [
      ['the file is not UTF-8 text', () => writeFileSync(path, Buffer.from(VIEWS.totals, 'utf16le'))],
      ['the file is not UTF-8 text', () => writeFileSync(path, Buffer.from([0xff, 0xfe, 0x41]))],
      ['the file has 1048577 bytes', () => writeFileSync(path, ' '.repeat(1024 * 1024 + 1))],
      ['the file cannot be read: ELOOP', () => symlinkSync('totals.sql', path)],
    ];
    for (const [says, spoil] of faults) {
      rmSync(path);
      spoil();
      server.views.refresh();
      await server.views.settled();
      const { errors, serving } = server.views.status('totals');
      expect({ errors, serving }).toEqual({ errors: [expect.stringContaining(says)], serving: true });
      expect(server.rows('totals')).toEqual(rows);
    }
    rmSync(path);
    server.folder.write('totals', VIEWS.totals);
    server.views.refresh();
    await server.expectExact();
    expect(server.views.status('totals').errors).toEqual([]);
  });

  it('that read each other in a circle are told the circle, in whichever order they came', async () => {
    const server = await start(dataFolder());
    for (const [name, read] of [
      ['round_a', 'round_b'],
      ['round_b', 'round_a'],
    ] as const) {
      server.folder.write(name, `SELECT id FROM ${read};`);
      server.views.refresh();
      await server.views.settled();
    }
    expect(server.views.status('round_a').errors.join()).toContain('round_a -> round_b -> round_a');
    expect(server.views.status('round_b').errors.join()).toContain('round_b -> round_a -> round_b');
  });

  it('whose folder cannot be read change nothing', async () => {
    const folder = dataFolder();
    let server = await start(folder);
    await server.orders(manyOrders(50));
    await server.caughtUp();
    rmSync(folder.viewsDir, { recursive: true });
    for (const when of ['while it runs', 'after a restart']) {
      server.views.refresh();
      await server.views.settled();
      expect(
        server.views.list().map(v => v.state),
        when,
      ).toEqual(['live', 'live', 'live']);
      expect(server.reports.join(), when).toMatch(/cannot be read/);
      await server.stop();
      server = await start(folder);
    }
  });

  it('that differ in spelling and comments only are not built again', async () => {
    const server = await start(dataFolder());
    await server.orders(manyOrders(50));
    await server.caughtUp();
    const versions = server.folder.versions();
    server.folder.write('totals', `-- How much each customer ordered.\n${VIEWS.totals.toLowerCase()}`);
    server.views.refresh();
    expect(server.views.deployment.job).toBeNull();
    expect(server.views.status('totals').description).toBe('How much each customer ordered.');
    expect(server.folder.versions()).toEqual(versions);
  });

  it('see the clock move when nothing is appended', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 10, 12));
    const folder = dataFolder({
      due: "SELECT id FROM orders WHERE DATEADD(DAYS, amount, CAST('2026-01-01' AS DATE)) < CURRENT_DATE;",
    });
    const server = await start(folder, { clock });
    await server.orders([
      ['early', 'c', 3],
      ['late', 'c', 10],
    ]);
    await server.caughtUp();
    expect(server.rows('due')).toEqual([['early']]);
    clock.set(Date.UTC(2026, 0, 12, 0, 0, 1));
    await until('the clock brings the second row', () => server.rows('due').length === 2);
    await server.expectExact();
  });
});
