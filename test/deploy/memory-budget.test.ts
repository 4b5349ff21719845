import { describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { type DataFolder, dataFolder, manyOrders, type Running, start } from './data-folder.ts';

/** `by_id` has a row of state per order, `dear` reads it, `totals` has seven rows whatever happens. */
const VIEWS = {
  totals: 'CREATE TABLE totals AS SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer;',
  by_id: 'CREATE TABLE by_id AS SELECT id, SUM(amount) AS total FROM orders GROUP BY id;',
  dear: 'CREATE VIEW dear AS SELECT id, total FROM by_id WHERE total > 90;',
};
const MORE = 4_000;

const used = async (server: Running): Promise<number> =>
  (await server.views.deployment.sizes()).reduce((sum, s) => sum + s.bytes, 0);

const states = (server: Running): Record<string, string> =>
  Object.fromEntries(server.views.list().map(v => [v.name, v.state]));

/** A server whose budget is what its views use now, and a little. */
async function withTightBudget(folder: DataFolder): Promise<{ server: Running; budget: number }> {
  const roomy = await start(folder);
  await roomy.orders(manyOrders(500));
  await roomy.expectExact();
  const budget = (await used(roomy)) + 30_000;
  await roomy.stop();
  const server = await start(folder, { memoryBudget: budget });
  await server.expectExact();
  return { server, budget };
}

async function pausedByOrders(folder: DataFolder): Promise<{ server: Running; budget: number }> {
  const { server, budget } = await withTightBudget(folder);
  await server.orders(manyOrders(MORE, 500));
  await until('by_id is paused', () => states(server).by_id === 'paused');
  return { server, budget };
}

describe('state over the memory budget', () => {
  it('pauses the view that has most of it and those that read it; the others go on', async () => {
    const { server, budget } = await pausedByOrders(dataFolder(VIEWS));
    await server.caughtUp();
    expect(states(server)).toEqual({ by_id: 'paused', dear: 'paused', totals: 'live' });
    expect(server.rows('totals')).toEqual(server.expected().get('totals'));
    expect(await used(server)).toBeLessThanOrEqual(budget);
  });

  it('is announced: in the report, in the status and by the view', async () => {
    const { server } = await pausedByOrders(dataFolder(VIEWS));
    expect(server.reports).toEqual([
      expect.stringMatching(
        /^view by_id is paused, its last rows are served: memory budget: its state takes /,
      ),
      'view dear is paused, its last rows are served: it reads by_id, which is paused',
    ]);
    expect(server.views.status('by_id')).toMatchObject({
      paused: 'memory budget',
      serving: true,
      errors: [],
      notices: [expect.stringMatching(/^paused: memory budget: its state takes .* are allowed$/)],
    });
    expect(server.views.status('totals').paused).toBeUndefined();
    expect(server.views.open('by_id').paused).toBe('memory budget');
    expect(server.views.open('totals').paused).toBeNull();
  });

  it('leaves the paused view with the rows of one position, also after a restart', async () => {
    const folder = dataFolder(VIEWS);
    const { server, budget } = await pausedByOrders(folder);
    await server.caughtUp();
    const { position } = server.views.open('by_id');
    const rows = server.rows('by_id');
    expect(position).toBeLessThan(server.log.end());
    expect(rows).toEqual(server.expected(undefined, position).get('by_id'));
    await server.orders([['after', 'c1', 1]]);
    await server.caughtUp();
    expect(server.rows('by_id')).toEqual(rows);
    await server.stop();
    const again = await start(folder, { memoryBudget: budget });
    await again.caughtUp();
    expect(states(again)).toEqual({ by_id: 'paused', dear: 'paused', totals: 'live' });
    expect(again.rows('by_id')).toEqual(rows);
    expect(again.views.open('by_id').position).toBe(position);
  });

  it('with a larger budget at the next start the views are built anew and exact', async () => {
    const folder = dataFolder(VIEWS);
    const { server, budget } = await pausedByOrders(folder);
    await server.stop();
    const roomy = await start(folder, { memoryBudget: budget * 1_000 });
    await roomy.expectExact();
    expect(roomy.rows('by_id')).toHaveLength(500 + MORE);
  });

  it('pauses a view again that is resumed without more room, and its last rows stay', async () => {
    const { server } = await pausedByOrders(dataFolder(VIEWS));
    const rows = server.rows('by_id');
    expect((await server.views.replay('by_id')).state).toBe('building');
    await server.caughtUp();
    expect(states(server)).toEqual({ by_id: 'paused', dear: 'paused', totals: 'live' });
    expect(server.rows('by_id')).toEqual(rows);
    expect(server.reports.at(-1)).toMatch(/^the build of view by_id is paused: memory budget: /);
  });

  it('a view that is resumed when there is room goes on', async () => {
    const folder = dataFolder({
      totals: VIEWS.totals,
      by_id: VIEWS.by_id,
      other: 'CREATE TABLE other AS SELECT id, COUNT(*) AS n FROM orders GROUP BY id;',
    });
    const roomy = await start(folder);
    await roomy.orders(manyOrders(MORE));
    await roomy.expectExact();
    const all = await used(roomy);
    await roomy.stop();
    const server = await start(folder, { memoryBudget: all * 0.75 });
    await server.orders([['more', 'c1', 1]]);
    const { name } = await until('one is paused', () => server.views.list().find(v => v.state === 'paused'));
    const [beside = ''] = ['by_id', 'other'].filter(n => n !== name);
    expect(states(server)).toEqual({ [name]: 'paused', [beside]: 'live', totals: 'live' });
    server.folder.remove(beside);
    server.views.refresh();
    await server.caughtUp();
    await server.views.replay(name);
    await server.expectExact();
  });

  it('stops the first build of a view that needs too much; the view has no rows and says why', async () => {
    const folder = dataFolder({ totals: VIEWS.totals });
    const server = await start(folder, { memoryBudget: 50_000 });
    await server.orders(manyOrders(MORE));
    await server.expectExact();
    folder.write('by_id', VIEWS.by_id);
    server.views.refresh();
    await server.caughtUp();
    expect(server.views.status('by_id')).toMatchObject({ state: 'paused', serving: false, errors: [] });
    expect(() => server.views.open('by_id')).toThrow(
      expect.objectContaining({ code: 'view_paused', message: expect.stringMatching(/its build is paused/) }),
    );
    expect(states(server).totals).toBe('live');
    expect(folder.versions()).toHaveLength(1);
  });

  it('stops the build of a changed view; the version before goes on', async () => {
    const folder = dataFolder({ totals: VIEWS.totals });
    const server = await start(folder, { memoryBudget: 50_000 });
    await server.orders(manyOrders(MORE));
    await server.expectExact();
    const rows = server.rows('totals');
    folder.write('totals', 'CREATE TABLE totals AS SELECT id, COUNT(*) AS n FROM orders GROUP BY id;');
    server.views.refresh();
    await server.caughtUp();
    expect(server.views.status('totals')).toMatchObject({ state: 'paused', serving: true });
    expect(server.rows('totals')).toEqual(rows);
    expect(server.views.open('totals').paused).toBeNull();
    folder.write('totals', VIEWS.totals);
    server.views.refresh();
    await server.expectExact();
  });
});
