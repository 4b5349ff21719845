import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../until.ts';
import { Postgres } from './postgres.ts';
import { SunkLoad, SunkServer } from './sunk-server.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await Postgres.start();
});
afterAll(() => postgres.remove());

/** Asks without a pause until it is told to stop; every answer is looked at. */
class Reader {
  readonly seen = new Set<string>();
  readonly wrong: string[] = [];
  reads = 0;
  #stopped = false;

  async run(customers: number): Promise<void> {
    const client = await postgres.client();
    while (!this.#stopped) {
      const { rows } = await client.query<{ version: string; n: string }>(
        'SELECT version, count(*) AS n FROM totals GROUP BY version',
      );
      this.reads++;
      for (const row of rows) this.seen.add(row.version);
      const [row] = rows;
      if (rows.length !== 1 || Number(row?.n) !== customers) this.wrong.push(JSON.stringify(rows));
    }
    await client.end();
  }

  stop(): void {
    this.#stopped = true;
  }
}

describe('a view that is rebuilt', () => {
  test('swaps its table: a reader sees all of the old rows or all of the new ones', async () => {
    const server = new SunkServer(postgres.url(), ['totals']);
    onTestFinished(() => server.remove());
    const view = (version: string, more = '') =>
      `SELECT customer, '${version}' AS version, COUNT(*) AS n${more} FROM orders GROUP BY customer;`;
    server.write('totals', view('v1'));
    await server.start();
    const load = new SunkLoad(3);
    for (let i = 0; i < 30; i++) await load.send(server);
    await server.expectEqual(postgres, ['totals']);
    const [counted] = await postgres.query<{ n: string }>('SELECT count(*) AS n FROM totals');
    const reader = new Reader();
    const reading = reader.run(Number(counted?.n));
    const sending = load.run(server);
    for (const [version, more] of [
      ['v2', ', SUM(amount) AS total'],
      ['v3', ', MAX(amount) AS most'],
      ['v4', ''],
    ] as const) {
      server.write('totals', view(version, more));
      await until(`the reader sees ${version}`, () => reader.seen.has(version), 30_000);
    }
    load.stop();
    reader.stop();
    await Promise.all([reading, sending]);
    expect(reader.wrong).toEqual([]);
    expect([...reader.seen]).toEqual(['v1', 'v2', 'v3', 'v4']);
    expect(reader.reads).toBeGreaterThan(50);
    await server.expectEqual(postgres, ['totals']);
  });

  test('waits with the swap for a long transaction that has read the table, and others read on', async () => {
    await postgres.query('DROP TABLE IF EXISTS totals, millrace_sinks');
    const server = new SunkServer(postgres.url(), ['totals']);
    onTestFinished(() => server.remove());
    await server.start();
    await new SunkLoad(7).send(server);
    await server.expectEqual(postgres, ['totals']);
    const long = await postgres.client();
    await long.query('BEGIN');
    const held = await long.query('SELECT * FROM totals ORDER BY 1');
    server.write('totals', 'SELECT customer, COUNT(*) AS orders FROM orders GROUP BY customer;');
    await until('the sink wants to swap', async () => {
      const waiting = await postgres.query(
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'millrace totals' AND query LIKE 'DROP TABLE%'`,
      );
      return waiting.length > 0;
    });
    for (let i = 0; i < 50; i++) {
      expect(await postgres.query('SELECT count(n)::int AS n FROM totals')).toEqual([{ n: held.rowCount }]);
    }
    expect((await long.query('SELECT * FROM totals ORDER BY 1')).rows).toEqual(held.rows);
    await long.query('COMMIT');
    await long.end();
    await server.expectEqual(postgres, ['totals']);
    expect(await postgres.query('SELECT count(orders)::int AS n FROM totals')).toEqual([
      { n: held.rowCount },
    ]);
  });

  test('has its table loaded anew after a replay, and keeps what others were granted', async () => {
    await postgres.query('DROP TABLE IF EXISTS totals, millrace_sinks');
    const server = new SunkServer(postgres.url(), ['totals']);
    onTestFinished(() => server.remove());
    await server.start();
    await new SunkLoad(4).send(server);
    await server.expectEqual(postgres, ['totals']);
    await postgres.query('CREATE ROLE analyst');
    await postgres.query('GRANT SELECT ON totals TO analyst');
    await postgres.query('CREATE INDEX by_total ON totals (total DESC)');
    const [before] = await postgres.query<{ oid: number }>(`SELECT 'totals'::regclass::oid AS oid`);
    await fetch(`${server.url}/views/totals/replay`, { method: 'POST' });
    await until('the table is another one', async () => {
      const [now] = await postgres.query<{ oid: number }>(`SELECT to_regclass('totals')::oid AS oid`);
      return now?.oid !== before?.oid;
    });
    const [kept] = await postgres.query(
      `SELECT has_table_privilege('analyst', 'totals', 'SELECT') AS granted, to_regclass('by_total') IS NOT NULL AS index`,
    );
    expect(kept).toEqual({ granted: true, index: true });
    await server.expectEqual(postgres, ['totals']);
  });

  test('whose table a view of the database reads has its rows replaced in one transaction', async () => {
    await postgres.query('DROP TABLE IF EXISTS totals, millrace_sinks');
    const server = new SunkServer(postgres.url(), ['totals']);
    onTestFinished(() => server.remove());
    await server.start();
    await new SunkLoad(5).send(server);
    await server.expectEqual(postgres, ['totals']);
    await postgres.query('CREATE VIEW best AS SELECT * FROM totals ORDER BY total DESC LIMIT 3');
    server.write(
      'totals',
      'SELECT customer, COUNT(*) + 1000 AS n, SUM(amount) AS total FROM orders GROUP BY customer;',
    );
    await until('the view of the database has the new rows', async () => {
      const [best] = await postgres.query<{ n: string }>('SELECT min(n) AS n FROM best');
      return Number(best?.n) > 1000;
    });
    await server.expectEqual(postgres, ['totals']);
    // other columns cannot take its place, and it is said why
    server.write('totals', 'SELECT customer, COUNT(*) AS orders FROM orders GROUP BY customer;');
    const failure = await until('the sink says what stands in the way', async () => {
      const sink = await server.get<{ failure: { code: string; message: string } | null }>('/sinks/totals');
      return sink.failure;
    });
    expect(failure).toMatchObject({
      code: 'sink_refused',
      message: expect.stringContaining('something in the database depends on the table'),
    });
    await postgres.query('DROP VIEW best');
    await server.expectEqual(postgres, ['totals']);
  });
});

describe('PostgreSQL that is not there', () => {
  test('and does not even hang up: the views go on, and the server stops all the same', async () => {
    await postgres.query('DROP TABLE IF EXISTS totals, millrace_sinks');
    const server = new SunkServer(postgres.url(), ['totals']);
    onTestFinished(() => server.remove());
    await server.start();
    const load = new SunkLoad(8);
    await load.send(server);
    await server.expectEqual(postgres, ['totals']);
    const [session] = await postgres.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'millrace totals'`,
    );
    const pid = session?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    onTestFinished(() => {
      process.kill(pid, 'SIGKILL');
    });
    const position = await load.send(server);
    expect((await fetch(`${server.url}/views/totals?after=${position}&wait=5s`)).ok).toBe(true);
    expect((await fetch(`${server.url}/sinks/totals?after=${position}&wait=300ms`)).status).toBe(503);
    expect(await server.stop()).toBe(0);
  });

  test('is reported and waited for; views, commands and other sinks go on', async () => {
    const away = await Postgres.start();
    onTestFinished(() => away.remove());
    await away.stop();
    const server = new SunkServer(away.url(), ['totals']);
    onTestFinished(() => server.remove());
    await server.start();
    const position = await new SunkLoad(6).send(server);
    const fresh = `${server.url}/views/totals?after=${position}&wait=5s`;
    await until('the view answers', async () => (await fetch(fresh)).ok);
    const late = await until('the sink has tried', async () => {
      const answer = await server.get<{ sink: { failure: unknown } }>(
        `/sinks/totals?after=${position}&wait=100ms`,
      );
      return answer.sink.failure === null ? null : answer;
    });
    expect(late).toMatchObject({
      status: 503,
      code: 'sink_behind',
      detail: expect.stringContaining('does not answer'),
      sink: { state: 'retrying', failure: { code: 'sink_unreachable' } },
    });
    await away.restart();
    await server.expectEqual(away, ['totals']);
    expect(await server.get('/sinks/totals')).toMatchObject({ state: 'running', failure: null, behind: 0 });
    expect(await server.stop()).toBe(0);
  });
});
