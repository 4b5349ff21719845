import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Column } from '../../src/core/schema.ts';
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  mapOf,
  STRING,
  structOf,
  TIME,
  TIMESTAMP,
} from '../../src/core/sql-type.ts';
import type { Row } from '../../src/core/value.ts';
import type { ServedRow, ViewChange } from '../../src/deploy/view-access.ts';
import { jsonWriter } from '../../src/expr/value-json.ts';
import { encodeKey } from '../../src/kv/key-codec.ts';
import { postgresSink } from '../../src/sinks/postgres/postgres-target.ts';
import type { SinkTarget, SinkView } from '../../src/sinks/sink-target.ts';
import { Postgres } from './postgres.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await Postgres.start();
});
afterAll(() => postgres.remove());

function targetOf(table: string, url = postgres.url(), schema = 'public'): SinkTarget {
  const json = (type: Column['type']) => jsonWriter(type, { numbers: 'json' });
  const kind = postgresSink({ sink: table, url, schema, table, json });
  return kind.make({ lost: () => {}, notice: () => {} });
}

function viewOf(columns: readonly Column[], key: readonly number[] = [0]): SinkView {
  return { name: 'v', statement: 'view', version: 'v@1', columns, key };
}

const row = (values: Row): ServedRow => ({
  row: values,
  rowtime: 0,
  key: encodeKey([values[0] ?? null], [STRING]),
});
const put = (values: Row): ViewChange => ({ ...row(values), op: 'upsert', seq: 0, id: String(values[0]) });
const state = (position: number) => ({ log: 'log1', version: 'v@1', position });

async function loaded(table: string, view: SinkView, rows: readonly Row[]): Promise<SinkTarget> {
  const target = targetOf(table);
  await target.open(view);
  const load = await target.load(view);
  await load.rows(rows.map(row));
  await load.commit(state(1));
  return target;
}

describe('values in PostgreSQL', () => {
  const day = (text: string) => Date.parse(`${text}T00:00:00Z`) / 86_400_000;
  const cases: readonly (readonly [string, Column['type'], Row[number], string, string])[] = [
    ['BOOLEAN', BOOLEAN, true, 'boolean', 'true'],
    ['INT', INT, -2_147_483_648, 'integer', '-2147483648'],
    ['BIGINT', BIGINT, 9_223_372_036_854_775_807n, 'bigint', '9223372036854775807'],
    ['DOUBLE', DOUBLE, 0.1 + 0.2, 'double precision', '0.30000000000000004'],
    ['DOUBLE, smallest', DOUBLE, 5e-324, 'double precision', '5e-324'],
    ['DOUBLE, none', DOUBLE, Number.NaN, 'double precision', 'NaN'],
    ['DOUBLE, endless', DOUBLE, Number.NEGATIVE_INFINITY, 'double precision', '-Infinity'],
    ['DECIMAL', decimal(38, 4), -(10n ** 37n) - 1n, 'numeric(38,4)', `-1${'0'.repeat(33)}.0001`],
    ['DECIMAL below one', decimal(5, 5), -7n, 'numeric(5,5)', '-0.00007'],
    ['STRING', STRING, 'tab\t, line\n, \\N, "ü" 🙂', 'text', 'tab\t, line\n, \\N, "ü" 🙂'],
    ['STRING, empty', STRING, '', 'text', ''],
    ['BYTES', BYTES, Uint8Array.of(0, 255, 92), 'bytea', '\\x00ff5c'],
    ['DATE', DATE, day('2024-02-29'), 'date', '2024-02-29'],
    ['DATE long ago', DATE, day('0001-01-01') - 1, 'date', '0001-12-31 BC'],
    ['DATE far away', DATE, day('+012024-01-01'), 'date', '12024-01-01'],
    ['TIME', TIME, 86_399_999, 'time without time zone', '23:59:59.999'],
    [
      'TIMESTAMP',
      TIMESTAMP,
      Date.parse('1969-12-31T23:59:59.001Z'),
      'timestamp with time zone',
      '1969-12-31 23:59:59.001+00',
    ],
    [
      'ARRAY of plain values',
      arrayOf(STRING),
      ['a', null, 'say "x", \\', '', 'NULL'],
      'text[]',
      '{a,NULL,"say \\"x\\", \\\\","","NULL"}',
    ],
    ['ARRAY of DECIMAL', arrayOf(decimal(6, 2)), [150n, -1n], 'numeric(6,2)[]', '{1.50,-0.01}'],
    ['ARRAY of BYTES', arrayOf(BYTES), [Uint8Array.of(1)], 'bytea[]', '{"\\\\x01"}'],
    ['ARRAY of ARRAY', arrayOf(arrayOf(INT)), [[1], [], null], 'jsonb', '[[1], [], null]'],
    [
      'MAP',
      mapOf(STRING, BIGINT),
      new Map([['a', 9_007_199_254_740_993n]]),
      'jsonb',
      '{"a": 9007199254740993}',
    ],
    [
      'STRUCT',
      structOf([
        { name: 'total', type: decimal(20, 2) },
        { name: 'when', type: TIMESTAMP },
      ]),
      [12_345_678_901_234_567_890n, 0],
      'jsonb',
      '{"when": "1970-01-01T00:00:00.000Z", "total": 123456789012345678.90}',
    ],
  ];

  test.each(cases)('%s', async (name, type, value, columnType, text) => {
    const table = name.toLowerCase();
    const view = viewOf([
      { name: 'id', type: STRING },
      { name: 'x', type },
    ]);
    const target = await loaded(table, view, [
      ['loaded', value],
      ['null', null],
    ]);
    // both ways of applying changes write the same
    await target.apply([put(['few', value])], state(1), state(2));
    const many = Array.from({ length: 100 }, (_, i) => put([`many-${i}`, value]));
    await target.apply(many, state(2), state(3));
    const [found] = await postgres.query(
      `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = $1::regclass AND attname = 'x'`,
      [`"${table}"`],
    );
    expect(found?.type).toBe(columnType);
    const client = await postgres.client();
    await client.query("SET timezone = 'UTC'");
    const texts = await client.query(
      `SELECT x::text AS x, count(*)::int AS n FROM "${table}" GROUP BY x::text ORDER BY n`,
    );
    await client.end();
    expect(texts.rows).toEqual([
      { x: null, n: 1 },
      { x: text, n: 102 },
    ]);
    await target.close();
  });

  test('column names that need no quotes are lower case, others stay', async () => {
    const columns = ['KSQL_COL_0', 'Total', 'with space', 'quote"d'].map(name => ({ name, type: STRING }));
    const target = await loaded('names', viewOf(columns), [['a', 'b', 'c', 'd']]);
    await target.close();
    expect(await postgres.query('SELECT * FROM names')).toEqual([
      { ksql_col_0: 'a', total: 'b', 'with space': 'c', 'quote"d': 'd' },
    ]);
  });
});

test('column names that PostgreSQL would cut are cut here, and told apart', async () => {
  const long = `${'ü'.repeat(31)}🙂`;
  const names = ['id', 'A'.repeat(70), `${'A'.repeat(64)}b`, `${long}1`, `${long}2`];
  const view = viewOf(names.map(name => ({ name, type: STRING })));
  const target = await loaded('long names', view, [['a', 'b', 'c', 'd', 'e']]);
  await target.apply([put(['x', 'y', 'z', 'v', 'w'])], state(1), state(2));
  await target.close();
  const again = targetOf('long names');
  expect(await again.open(view)).toEqual(state(2));
  await again.close();
  expect(await postgres.query('SELECT * FROM "long names" ORDER BY id')).toEqual(
    [
      ['a', 'b', 'c', 'd', 'e'],
      ['x', 'y', 'z', 'v', 'w'],
    ].map(([id, one, two, three, four]) => ({
      id,
      ['a'.repeat(63)]: one,
      [`${'a'.repeat(61)}_2`]: two,
      ['ü'.repeat(31)]: three,
      [`${'ü'.repeat(30)}_2`]: four,
    })),
  );
});

describe('a table that is there', () => {
  const VIEW = viewOf([
    { name: 'id', type: STRING },
    { name: 'n', type: INT },
    { name: 'total', type: decimal(12, 2) },
  ]);

  test('and empty is taken when it fits, with its own types where they hold every value', async () => {
    await postgres.query('CREATE TABLE own (total numeric, n bigint, id varchar NOT NULL PRIMARY KEY)');
    const target = await loaded('own', VIEW, [['a', 1, 1250n]]);
    await target.apply([put(['a', 2, 1n])], state(1), state(2));
    await target.close();
    const types = await postgres.query(
      `SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'own' ORDER BY 1`,
    );
    expect(types.map(t => `${t.column_name} ${t.data_type}`)).toEqual([
      'id character varying',
      'n bigint',
      'total numeric',
    ]);
    expect(await postgres.query('SELECT id, n, total FROM own')).toEqual([
      { id: 'a', n: '2', total: '0.01' },
    ]);
  });

  test.each(['text UNIQUE NULLS NOT DISTINCT', 'text NOT NULL UNIQUE'])(
    'and has the key %s is taken',
    async key => {
      const table = `with ${key}`;
      await postgres.query(`CREATE TABLE "${table}" (id ${key}, n int, total numeric(12,2))`);
      const target = targetOf(table);
      expect(await target.open(VIEW)).toBeNull();
      await target.close();
    },
  );

  test('and has a key that takes NULL twice is taken for a table, whose keys are never NULL', async () => {
    await postgres.query('CREATE TABLE never (id text UNIQUE, n int, total numeric(12,2))');
    const target = targetOf('never');
    expect(await target.open({ ...VIEW, statement: 'table' })).toBeNull();
    await target.close();
  });

  test.each([
    ['other types', 'id text PRIMARY KEY, n text, total numeric(12,1)', 'column "n" is text, not integer'],
    ['too few digits', 'id text PRIMARY KEY, n int, total numeric(12,1)', 'not numeric(12,2)'],
    ['a missing column', 'id text PRIMARY KEY, n int', 'column "total" numeric(12,2) is missing'],
    [
      'one more column',
      'id text PRIMARY KEY, n int, total numeric(12,2), x int',
      'column "x" is not in the view',
    ],
    [
      'a key that takes NULL twice',
      'id text UNIQUE, n int, total numeric(12,2)',
      '"id" may be NULL, and its unique index takes that twice',
    ],
    [
      'a key that is looked at late',
      'id text NOT NULL UNIQUE DEFERRABLE, n int, total numeric(12,2)',
      'no primary key or unique index is on "id"',
    ],
    ['no key', 'id text, n int, total numeric(12,2)', 'no primary key or unique index is on "id"'],
  ])('and has %s is refused with what is wrong', async (name, columns, message) => {
    const table = `refused ${name}`;
    await postgres.query(`CREATE TABLE "${table}" (${columns})`);
    const target = targetOf(table);
    await expect(target.open(VIEW)).rejects.toMatchObject({
      code: 'sink_refused',
      message: expect.stringContaining(message),
    });
    await target.close();
  });

  test('with rows of somebody else is left alone', async () => {
    await postgres.query(`CREATE TABLE taken (id text PRIMARY KEY, n int, total numeric(12,2))`);
    await postgres.query(`INSERT INTO taken VALUES ('theirs', 1, 1)`);
    const target = targetOf('taken');
    await expect(target.open(VIEW)).rejects.toMatchObject({
      code: 'sink_refused',
      message: expect.stringContaining('has rows that this sink has not written'),
    });
    await target.close();
  });

  test('and is dropped by somebody is made anew', async () => {
    await (await loaded('dropped', VIEW, [['a', 1, 1n]])).close();
    await postgres.query('DROP TABLE dropped');
    const target = targetOf('dropped');
    expect(await target.open(VIEW)).toBeNull();
    await target.close();
    await (await loaded('dropped', VIEW, [['b', 1, 1n]])).close();
    expect(await postgres.query('SELECT id FROM dropped')).toEqual([{ id: 'b' }]);
  });
});

describe('what PostgreSQL refuses', () => {
  const VIEW = viewOf([
    { name: 'id', type: STRING },
    { name: 'n', type: INT },
  ]);

  test('a wrong password', async () => {
    await expect(targetOf('t', postgres.url('millrace', 'wrong')).open(VIEW)).rejects.toMatchObject({
      code: 'sink_refused',
      message: expect.stringContaining('does not let user "millrace" in'),
      hint: expect.stringContaining('user and password'),
    });
  });

  test('a database that is not there', async () => {
    const url = postgres.url().replace(/postgres$/, 'nowhere');
    await expect(targetOf('t', url).open(VIEW)).rejects.toMatchObject({
      code: 'sink_refused',
      message: expect.stringContaining('there is no database'),
    });
  });

  test('a user without rights', async () => {
    await postgres.query(`CREATE ROLE guest LOGIN PASSWORD 'guest'`);
    const target = targetOf('t', postgres.url('guest', 'guest'), 'elsewhere');
    await expect(target.open(VIEW)).rejects.toMatchObject({
      code: 'sink_refused',
      hint: expect.stringContaining('GRANT'),
    });
    await target.close();
  });

  test('nobody at the address', async () => {
    const url = postgres.url().replace(String(postgres.port), '1');
    await expect(targetOf('t', url).open(VIEW)).rejects.toMatchObject({
      code: 'sink_unreachable',
      message: expect.stringContaining('does not answer'),
    });
  });

  test.each([
    ['a key that no index takes', 'large keys', noise(9_000), 'a key is too large'],
    ['a character that it does not know', 'zero characters', 'a\0b', 'U+0000'],
  ])('%s: the change is not made, and the position stays', async (_, table, key, message) => {
    const target = await loaded(table, VIEW, [['a', 1]]);
    const change = put([key, 1]);
    await expect(target.apply([put(['a', 2]), change], state(1), state(2))).rejects.toMatchObject({
      code: 'sink_refused',
      message: expect.stringContaining(message),
    });
    await target.close();
    const again = targetOf(table);
    expect(await again.open(VIEW)).toEqual(state(1));
    await again.close();
    expect(await postgres.query(`SELECT id, n FROM "${table}"`)).toEqual([{ id: 'a', n: 1 }]);
  });

  test('two sinks on one table', async () => {
    await (await loaded('shared', VIEW, [['a', 1]])).close();
    const kind = postgresSink({
      ...{ sink: 'second', url: postgres.url(), schema: 'public', table: 'shared' },
      json: type => jsonWriter(type, { numbers: 'json' }),
    });
    const target = kind.make({ lost: () => {}, notice: () => {} });
    await expect(target.open(VIEW)).rejects.toMatchObject({
      code: 'sink_refused',
      message: 'table "shared" is kept by sink "shared"',
    });
    await target.close();
  });
});

/** text that does not compress */
function noise(n: number): string {
  let state = 1;
  return Array.from({ length: n }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return String.fromCharCode(33 + ((state >>> 25) % 90));
  }).join('');
}
