import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BIGINT, DOUBLE, STRING } from '../../src/core/sql-type.ts';
import type { Row } from '../../src/core/value.ts';
import { jsonWriter } from '../../src/expr/value-json.ts';
import { encodeKey } from '../../src/kv/key-codec.ts';
import { postgresSink } from '../../src/sinks/postgres/postgres-target.ts';
import type { SinkState, SinkTarget, SinkView } from '../../src/sinks/sink-target.ts';
import { Postgres } from './postgres.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await Postgres.start();
});
afterAll(() => postgres.remove());
beforeEach(async () => {
  await postgres.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
});

const TOTALS: SinkView = {
  name: 'totals',
  statement: 'view',
  version: 'totals@1',
  columns: [
    { name: 'customer', type: STRING },
    { name: 'n', type: BIGINT },
  ],
  key: [0],
};

/** A table that a sink keeps, and versions of its rows. */
class Kept {
  readonly notices: string[] = [];
  readonly #url: string;
  #state: SinkState | null = null;

  constructor(url = postgres.url()) {
    this.#url = url;
  }

  /** Another version with these rows takes the place of the one before. */
  async becomes(rows: readonly Row[], view: Partial<SinkView> = {}): Promise<SinkTarget> {
    const position = (this.#state?.position ?? 0) + 10;
    const next: SinkView = { ...TOTALS, ...view, version: `totals@${position}` };
    const target = postgresSink({
      ...{ sink: 'totals', url: this.#url, schema: 'public', table: 'totals' },
      json: type => jsonWriter(type, { numbers: 'json' }),
    }).make({ lost: () => {}, notice: text => this.notices.push(text) });
    onTestFinished(() => target.close());
    expect(await target.open(next)).toEqual(this.#state);
    const load = await target.load(next);
    await load.rows(
      rows.map(row => ({
        row,
        rowtime: 0,
        key: encodeKey([row[0] ?? null], [next.columns[0]?.type ?? STRING]),
      })),
    );
    const state = { log: 'log1', version: next.version, position };
    await load.commit(state);
    this.#state = state;
    return target;
  }
}

describe('rows that something in the database refers to', () => {
  test.each(['CASCADE', 'SET NULL', 'NO ACTION'])(
    'ON DELETE %s is for keys that leave the view: those that stay are changed where they stand',
    async action => {
      const kept = new Kept();
      await kept.becomes([
        ['ada', 1n],
        ['bob', 1n],
        ['eve', 1n],
      ]);
      await postgres.query('ALTER TABLE totals ADD PRIMARY KEY (customer)');
      await postgres.query(
        `CREATE TABLE notes (note text, customer text REFERENCES totals (customer) ON DELETE ${action})`,
      );
      await postgres.query(`INSERT INTO notes VALUES ('good', 'ada'), ('late', 'bob')`);
      await kept.becomes([
        ['ada', 1n],
        ['bob', 2n],
        ['zoe', 3n],
      ]);
      expect(await postgres.query('SELECT customer, n FROM totals ORDER BY 1')).toEqual([
        { customer: 'ada', n: '1' },
        { customer: 'bob', n: '2' },
        { customer: 'zoe', n: '3' },
      ]);
      expect(await postgres.query('SELECT note, customer FROM notes ORDER BY 1')).toEqual([
        { note: 'good', customer: 'ada' },
        { note: 'late', customer: 'bob' },
      ]);
    },
  );

  test('rows with NULL in their key stay too, and rows that are the same are not written', async () => {
    const kept = new Kept();
    const columns = [...TOTALS.columns, { name: 'x', type: DOUBLE }];
    const rows: Row[] = [
      [null, 1n, 0],
      ['same', null, 0],
      ['zero', 1n, 0],
    ];
    await kept.becomes(rows, { columns });
    await postgres.query('CREATE VIEW best AS SELECT * FROM totals');
    const places = () =>
      postgres.query('SELECT customer, n, x::text AS x, ctid::text AS place FROM totals ORDER BY customer');
    const before = await places();
    await kept.becomes(
      rows.map(([key = null, n = null]) => (key === 'zero' ? [key, n, -0] : [key, n, 0])),
      { columns },
    );
    const after = await places();
    expect(after.map(({ customer, n, x }) => [customer, n, x])).toEqual([
      ['same', null, '0'],
      ['zero', '1', '-0'],
      [null, '1', '0'],
    ]);
    expect(after.filter(row => !before.some(b => b.place === row.place)).map(r => r.customer)).toEqual([
      'zero',
    ]);
  });

  test('another key cannot take the place of the one before, and it is said why', async () => {
    const kept = new Kept();
    await kept.becomes([['ada', 1n]]);
    await postgres.query('CREATE VIEW best AS SELECT * FROM totals');
    await expect(kept.becomes([['ada', 1n]], { key: [1] })).rejects.toMatchObject({
      code: 'sink_refused',
      message: expect.stringContaining('other columns or another key'),
    });
    expect(await postgres.query('SELECT customer FROM totals')).toEqual([{ customer: 'ada' }]);
  });
});

describe('what others have given to the table', () => {
  test('indexes go over with the table whatever they are called, and a name is never read as SQL', async () => {
    const kept = new Kept();
    await kept.becomes([['ada', 1n]]);
    await postgres.query('CREATE TABLE precious (x int)');
    const names = ['by USING n', 'x USING btree (n); DROP TABLE precious; --', 'say "n"', 'plain'];
    for (const name of names) {
      await postgres.query(`CREATE INDEX "${name.replaceAll('"', '""')}" ON totals (n DESC) WHERE n > 0`);
    }
    await postgres.query('CREATE UNIQUE INDEX "a USING b" ON totals (customer) INCLUDE (n)');
    await kept.becomes([['bob', 2n]]);
    expect(kept.notices).toEqual([]);
    const indexes = await postgres.query<{ name: string; unique: boolean; condition: string | null }>(
      `SELECT c.relname AS name, i.indisunique AS "unique", pg_get_expr(i.indpred, i.indrelid) AS condition
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = 'totals'::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)`,
    );
    expect(indexes.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
      [
        ...names.map(name => ({ name, unique: false, condition: '(n > 0)' })),
        { name: 'a USING b', unique: true, condition: null },
      ].sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
    expect(await postgres.query('SELECT * FROM precious')).toEqual([]);
  });
});
