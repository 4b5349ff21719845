import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { STRING } from '../../src/core/sql-type.ts';
import { jsonWriter } from '../../src/expr/value-json.ts';
import { postgresSink } from '../../src/sinks/postgres/postgres-target.ts';
import type { SinkTarget, SinkView } from '../../src/sinks/sink-target.ts';
import { Postgres } from './postgres.ts';

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
