import { expect, onTestFinished, test } from 'vitest';
import { until } from '../until.ts';
import { Postgres } from './postgres.ts';
import { SunkLoad, SunkServer } from './sunk-server.ts';

const KILLS = process.env.MILLRACE_LONG === '1' ? 100 : 10;

test(`${KILLS} x kill -9 of Millrace or of PostgreSQL under load: the tables are the views`, async () => {
  const seed = 4_711 + KILLS;
  console.log(`seed ${seed}`);
  const postgres = await Postgres.start();
  onTestFinished(() => postgres.remove());
  const server = new SunkServer(postgres.url());
  onTestFinished(() => server.remove());
  await server.start();
  const load = new SunkLoad(seed);
  const sending = load.run(server);
  for (let kill = 0; kill < KILLS; kill++) {
    // now and then it has caught up before
    const enough = load.acknowledged + 1 + Math.floor(load.random() * (kill % 4 === 3 ? 60 : 15));
    await until(`kill ${kill}: ${enough} answers`, () => load.acknowledged >= enough, 60_000);
    if (kill % 4 === 3) await until('rows are there', async () => (await rows(postgres)) > 0, 60_000);
    // and now and then a table is about to be loaded anew, and swapped
    if (kill % 3 === 1) await replay(server, load, load.random() < 0.5 ? 'large' : 'rich');
    if (load.random() < 0.5) {
      await server.kill();
      if (load.random() < 0.3) {
        await postgres.kill();
        await postgres.restart();
      }
      await server.start();
    } else {
      await postgres.kill();
      // the views go on without it
      const more = load.acknowledged + 5;
      await until('records are taken while PostgreSQL is away', () => load.acknowledged >= more, 30_000);
      await postgres.restart();
    }
  }
  load.stop();
  await sending;
  await server.expectEqual(postgres);
  const { sinks } = await server.get<{ sinks: { loads: number; name: string; changes: number }[] }>('/sinks');
  console.log(
    `${load.acknowledged} batches; ${sinks.map(s => `${s.name} ${s.changes} changes, ${s.loads} loads`).join('; ')}`,
  );
  expect(await server.stop()).toBe(0);
}, 1_200_000);

/** A replay, and a moment of it that is as long as some batches. */
async function replay(server: SunkServer, load: SunkLoad, view: string): Promise<void> {
  await fetch(`${server.url}/views/${view}/replay`, { method: 'POST' });
  const enough = load.acknowledged + Math.floor(load.random() * 20);
  await until(`${view} is replayed for a moment`, () => load.acknowledged >= enough, 60_000);
}

async function rows(postgres: Postgres): Promise<number> {
  const [found] = await postgres.query<{ there: boolean }>(
    `SELECT to_regclass('totals') IS NOT NULL AS there`,
  );
  if (found?.there !== true) return 0;
  const [counted] = await postgres.query<{ n: string }>('SELECT count(*) AS n FROM totals');
  return Number(counted?.n);
}
