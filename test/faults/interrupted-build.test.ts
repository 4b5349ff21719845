import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { logDir } from '../../src/dataflow/worker-environment.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { type DataFolder, dataFolder, manyOrders, start, VIEWS } from '../deploy/data-folder.ts';
import { until } from '../until.ts';
import { killedWhileBuilding, killedWhileReplaying } from './killed-replay.ts';

const note = (folder: DataFolder): unknown =>
  JSON.parse(readFileSync(join(folder.dir, 'state', 'replays.json'), 'utf8'));

test('a replay that a crash cuts short begins again with the next start, and says so', async () => {
  const folder = dataFolder();
  const first = await start(folder);
  await first.orders(manyOrders(2_000));
  await first.caughtUp();
  const before = folder.versions();
  await first.stop();
  // the first builds were done before: the next one is the replay
  await killedWhileReplaying(folder, { MILLRACE_FAULTS_BUILD: 'build.finish@1=kill' });
  expect(note(folder)).toEqual({ large: 1 });

  const second = await start(folder);
  expect(second.reports).toContain(
    'the replay of large was cut short when the process ended: it begins again',
  );
  expect(second.views.status('large').state).toBe('building');
  await second.expectExact();
  await until('it is crossed off with the next commit', () => JSON.stringify(note(folder)) === '{}');
  // and was done: `large` has another version than before
  const versionOf = (versions: readonly string[]) => versions.filter(v => v.startsWith('large@'));
  expect(versionOf(readdirSync(join(folder.dir, 'state', 'views')))).not.toEqual(versionOf(before));
});

test('a replay that ends the process again and again is given up', async () => {
  const folder = dataFolder();
  const first = await start(folder);
  await first.orders(manyOrders(100));
  await first.caughtUp();
  await first.stop();
  const faults = { MILLRACE_FAULTS_BUILD: 'build.finish@1=kill' };
  for (let i = 0; i < 3; i++) await killedWhileReplaying(folder, faults);
  const last = await start(folder);
  expect(last.reports).toContainEqual(expect.stringContaining('the replay of large is given up'));
  expect(last.views.status('large').state).toBe('live');
  await last.expectExact();
});

test('a first build that is killed between two writes of rows is made anew, and its topic has each record once', async () => {
  const folder = dataFolder({ totals: VIEWS.totals });
  const first = await start(folder);
  const orders = manyOrders(20_000);
  await first.ordersAtOnce(orders);
  await first.caughtUp();
  await first.stop();
  folder.write('large', VIEWS.large);
  const large = orders.flatMap(([id, , amount]) => (amount > 50 ? [id] : []));
  const often = { foldAfter: 100 };
  await killedWhileBuilding(folder, { MILLRACE_FAULTS_BUILD: 'build.fold@10=kill' }, often);
  const log = await openEmbeddedLog({ dir: logDir(folder.dir), clock: systemClock });
  const written = log.topic('large')?.records ?? 0;
  await log.close();
  expect(written, 'a part of the topic is there').toBeGreaterThan(0);
  expect(written).toBeLessThan(large.length);

  const second = await start(folder, often);
  await second.expectExact();
  expect(second.rows('large')).toHaveLength(large.length);
  expect(second.topic('large').map(([id]) => id)).toEqual(large);
});
