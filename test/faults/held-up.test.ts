import { expect, test } from 'vitest';
import { dataFolder, manyOrders, start, VIEWS } from '../deploy/data-folder.ts';
import { until } from '../until.ts';

/** takes time exponential in the length of a text that nearly matches */
const SLOW =
  "CREATE TABLE slow AS SELECT customer, COUNT(*) AS n FROM orders WHERE REGEXP_EXTRACT('(a+)+$', customer) IS NULL GROUP BY customer;";
const ENDLESS = `${'a'.repeat(60)}b`;
/** longer than a busy machine keeps a thread from its work */
const stuckAfter = 3_000;

test('a view that holds the live worker up is set aside where it stood; all others go on, over restarts too', async () => {
  const folder = dataFolder({ ...VIEWS, slow: SLOW });
  const server = await start(folder, { stuckAfter });
  await server.orders(manyOrders(50));
  await server.caughtUp();
  const rows = server.rows('slow');
  expect(rows.length).toBe(7);

  await server.orders([['endless', ENDLESS, 1], ...manyOrders(20, 100)]);
  await until('the view is set aside', () => server.reports.some(r => r.includes('slow went wrong')), 60_000);
  expect(server.reports.join('\n')).toMatch(
    /view slow went wrong and stands still: one step took more than 3 s/,
  );
  await server.orders(manyOrders(20, 200));
  const last = server.log.end();
  expect(await server.views.waitFor(last, 60_000)).toBe(true);
  expect(server.rows('totals')).toEqual(server.expected('slow').get('totals'));
  expect(server.rows('slow')).toEqual(rows);
  expect(server.views.status('slow')).toMatchObject({ state: 'failed', serving: true });
  await server.stop();

  const again = await start(folder, { stuckAfter });
  await again.orders(manyOrders(10, 300));
  expect(await again.views.waitFor(again.log.end(), 60_000)).toBe(true);
  expect(again.rows('totals')).toEqual(again.expected('slow').get('totals'));
  expect(again.rows('slow')).toEqual(rows);
});

test('a build that is held up by a record fails and names its view; what is served goes on', async () => {
  const folder = dataFolder();
  const server = await start(folder, { stuckAfter });
  await server.orders([...manyOrders(50), ['endless', ENDLESS, 1]]);
  await server.caughtUp();
  folder.write('slow', SLOW);
  server.views.refresh();
  await server.views.settled();
  expect(server.views.status('slow').errors).toEqual([
    expect.stringMatching(/the build failed: one step took more than 3 s/),
  ]);
  await server.orders(manyOrders(10, 100));
  expect(await server.views.waitFor(server.log.end(), 60_000)).toBe(true);
  expect(server.rows('totals')).toEqual(server.expected('slow').get('totals'));
});
