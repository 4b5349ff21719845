import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { STRING } from '../../src/core/sql-type.ts';
import { jsonWriter } from '../../src/expr/value-json.ts';
import { postgresSink } from '../../src/sinks/postgres/postgres-target.ts';
import type { SinkTarget, SinkView } from '../../src/sinks/sink-target.ts';
import { until } from '../until.ts';
import { Postgres } from './postgres.ts';
import { SunkLoad, SunkServer } from './sunk-server.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await Postgres.start();
});
afterAll(() => postgres.remove());
beforeEach(async () => {
  await postgres.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
});

const VIEW: SinkView = {
  name: 'v',
  statement: 'view',
  version: 'v@1',
  columns: [{ name: 'id', type: STRING }],
  key: [0],
};
const state = (position: number, log = 'log1') => ({ log, version: 'v@1', position });

function targetOf(sink: string, table = 'shared'): SinkTarget {
  const json = (type: typeof STRING) => jsonWriter(type, { numbers: 'json' });
  const kind = postgresSink({ sink, url: postgres.url(), schema: 'public', table, json });
  const target = kind.make({ lost: () => {}, notice: () => {} });
  onTestFinished(() => target.close());
  return target;
}

describe('two sinks on one table', () => {
  test('that are started together: one of them keeps it', async () => {
    const loads = [];
    for (const target of [targetOf('one'), targetOf('two')]) {
      expect(await target.open(VIEW)).toBeNull();
      loads.push(target);
    }
    const [one, two] = loads as [SinkTarget, SinkTarget];
    await (await one.load(VIEW)).commit(state(10));
    await expect(two.load(VIEW).then(load => load.commit(state(20)))).rejects.toMatchObject({
      code: 'sink_refused',
      message: 'table "shared" is kept by another sink',
    });
    await expect(targetOf('two').open(VIEW)).rejects.toMatchObject({
      message: 'table "shared" is kept by sink "one"',
    });
    expect(await targetOf('one').open(VIEW)).toEqual(state(10));
  });

  const OLD_BOOKS = `CREATE TABLE millrace_sinks (sink text PRIMARY KEY, table_name text NOT NULL, log text NOT NULL,
    version text NOT NULL, position bigint NOT NULL, updated timestamptz NOT NULL DEFAULT now())`;

  test('are refused from an earlier version on, whose books had no such rule', async () => {
    await postgres.query(OLD_BOOKS);
    await postgres.query(`INSERT INTO millrace_sinks VALUES ('one', 'shared', 'log1', 'v@1', 7)`);
    await postgres.query('CREATE TABLE shared (id text UNIQUE NULLS NOT DISTINCT)');
    expect(await targetOf('one').open(VIEW)).toEqual(state(7));
    await expect(
      postgres.query(`INSERT INTO millrace_sinks VALUES ('two', 'shared', 'log1', 'v@1', 7)`),
    ).rejects.toMatchObject({ code: '23505' });
    expect(await targetOf('one').open(VIEW)).toEqual(state(7));
  });

  test('that had it both are told to leave it to one', async () => {
    await postgres.query(OLD_BOOKS);
    await postgres.query(
      `INSERT INTO millrace_sinks VALUES ('one', 'shared', 'log1', 'v@1', 7), ('two', 'shared', 'log1', 'v@1', 7)`,
    );
    await postgres.query('CREATE TABLE shared (id text UNIQUE NULLS NOT DISTINCT)');
    await expect(targetOf('one').open(VIEW)).rejects.toMatchObject({
      code: 'sink_refused',
      message: expect.stringContaining('two sinks that keep one table'),
      hint: expect.stringContaining('DELETE FROM'),
    });
    await postgres.query(`DELETE FROM millrace_sinks WHERE sink = 'two'`);
    expect(await targetOf('one').open(VIEW)).toEqual(state(7));
  });
});

describe('two servers with one sink', () => {
  test.each([1, 2])('whose first rows come at once: one of them is refused (%i)', async rows => {
    const [one, two] = [targetOf('s'), targetOf('s')];
    const before = rows === 1 ? null : state(5);
    if (before !== null) {
      const first = targetOf('s');
      await first.open(VIEW);
      await (await first.load(VIEW)).commit(before);
      await first.close();
    }
    expect([await one.open(VIEW), await two.open(VIEW)]).toEqual([before, before]);
    const first = await one.load(VIEW);
    // it waits for the first one, whose copy has the same name
    const second = expect(two.load(VIEW).then(load => load.commit(state(20, 'log2')))).rejects.toMatchObject({
      code: 'sink_conflict',
    });
    await first.commit(state(10));
    await second;
    expect(await targetOf('s').open(VIEW)).toEqual(state(10));
  });

  test('the second one is refused though the first one is idle, until it is told to take over', async () => {
    const [one, two] = [
      new SunkServer(postgres.url(), ['totals']),
      new SunkServer(postgres.url(), ['totals']),
    ];
    onTestFinished(() => one.remove());
    onTestFinished(() => two.remove());
    await one.start();
    const load = new SunkLoad(9);
    await load.send(one);
    await one.expectEqual(postgres, ['totals']);
    const refused = (server: SunkServer) =>
      until('the server is refused', async () => {
        const sink = await server.get<{ failure: { code: string; hint: string } | null }>('/sinks/totals');
        return sink.failure;
      });
    await two.start();
    const failure = await refused(two);
    expect(failure.code).toBe('sink_conflict');
    expect(failure.hint).toContain('takeOver: true');
    await load.send(one);
    await one.expectEqual(postgres, ['totals']);
    expect(await one.get('/sinks/totals')).toMatchObject({ state: 'running', loads: 1, failure: null });
    await two.stop();
    two.connect(postgres.url(), ['totals'], 'takeOver: true');
    await two.start();
    await new SunkLoad(10).send(two);
    await two.expectEqual(postgres, ['totals']);
    // and from now on the first one is refused, and does not take it back
    await load.send(one);
    expect((await refused(one)).code).toBe('sink_conflict');
    await new SunkLoad(11).send(two, 10);
    await two.expectEqual(postgres, ['totals']);
    expect(await two.get('/sinks/totals')).toMatchObject({ state: 'running', loads: 1, failure: null });
  });
});
