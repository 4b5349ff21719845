import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BIGINT, DOUBLE, STRING } from '../../src/core/sql-type.ts';
import type { Row } from '../../src/core/value.ts';
import { jsonWriter } from '../../src/expr/value-json.ts';
import { encodeKey } from '../../src/kv/key-codec.ts';
import { postgresSink } from '../../src/sinks/postgres/postgres-target.ts';
import type { SinkState, SinkTarget, SinkView } from '../../src/sinks/sink-target.ts';
import { until } from '../until.ts';
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

  test('a writer that holds what refers to a row is waited for', async () => {
    const kept = new Kept();
    await kept.becomes([['ada', 1n]]);
    await postgres.query(
      'CREATE TABLE notes (note text, customer text REFERENCES totals (customer) ON DELETE CASCADE)',
    );
    await postgres.query(`INSERT INTO notes VALUES ('good', 'ada')`);
    const writer = await postgres.client();
    onTestFinished(() => writer.end());
    const [session] = (await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
    await writer.query(`BEGIN; UPDATE notes SET note = 'better'`);
    const exchanged = kept.becomes([['bob', 2n]]);
    const waits = () =>
      postgres.query(
        `SELECT 1 FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)) AND now() - query_start > '300 ms'`,
        [session?.pid],
      );
    await until('it has waited for longer than a swap would', async () => (await waits()).length > 0);
    await writer.query('COMMIT');
    await exchanged;
    expect(await postgres.query('SELECT customer FROM totals')).toEqual([{ customer: 'bob' }]);
    expect(await postgres.query('SELECT * FROM notes')).toEqual([]);
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

  test('grants of columns and comments go over too; what does not is told', async () => {
    const kept = new Kept();
    await kept.becomes([['ada', 1n]]);
    await postgres.query(`
      CREATE ROLE "odd "" role"; GRANT SELECT (customer), UPDATE (n) ON totals TO "odd "" role";
      COMMENT ON TABLE totals IS 'it''s \\ mine'; COMMENT ON COLUMN totals.n IS 'how many';
      CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER told AFTER INSERT ON totals EXECUTE FUNCTION nothing();
      ALTER TABLE totals ADD CONSTRAINT positive CHECK (n > 0)`);
    const role = 'odd " role';
    await kept.becomes([['bob', 2n]]);
    const [found] = await postgres.query(
      `SELECT has_column_privilege($1::name, 'totals', 'customer', 'SELECT') AS reads, has_column_privilege($1::name, 'totals', 'n', 'SELECT') AS all,
              has_column_privilege($1::name, 'totals', 'n', 'UPDATE') AS writes, obj_description('totals'::regclass) AS comment,
              col_description('totals'::regclass, 2) AS "column"`,
      [role],
    );
    expect(found).toEqual({
      ...{ reads: true, all: false, writes: true },
      ...{ comment: "it's \\ mine", column: 'how many' },
    });
    expect(kept.notices).toEqual(['not carried over to the new table: trigger told; constraint positive']);
    await postgres.query(`DROP OWNED BY "odd "" role"; DROP ROLE "odd "" role"`);
  });
});

describe('a table that no other one can take the place of', () => {
  const TIES = {
    'row security':
      'ALTER TABLE totals ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON totals USING (customer = current_user::text)',
    'a publication': 'CREATE PUBLICATION p FOR TABLE totals; ALTER TABLE totals REPLICA IDENTITY FULL',
    'an owner of its own, "boss"': 'ALTER TABLE totals OWNER TO boss',
  };
  beforeAll(async () => {
    await postgres.query('CREATE ROLE boss');
  });

  test.each(Object.entries(TIES))(
    'for it has %s: it stays, and its rows are exchanged',
    async (tie, make) => {
      const kept = new Kept();
      await kept.becomes([['ada', 1n]]);
      await postgres.query(make);
      onTestFinished(async () => {
        await postgres.query('DROP PUBLICATION IF EXISTS p');
      });
      const facts = () =>
        postgres.query(
          `SELECT c.oid, relrowsecurity, relowner, (SELECT count(*) FROM pg_policy) AS policies,
                (SELECT count(*) FROM pg_publication_rel) AS publications FROM pg_class c WHERE oid = 'totals'::regclass`,
        );
      const before = await facts();
      await kept.becomes([['bob', 2n]]);
      expect(await facts()).toEqual(before);
      expect(await postgres.query('SELECT customer, n FROM totals')).toEqual([{ customer: 'bob', n: '2' }]);
      await expect(
        kept.becomes([['bob', 2n]], { columns: [{ name: 'customer', type: STRING }] }),
      ).rejects.toMatchObject({ code: 'sink_refused', message: expect.stringContaining(tie) });
      expect(await facts()).toEqual(before);
    },
  );

  test('is refused when row security hides rows from the user of the sink', async () => {
    await postgres.query(`CREATE ROLE keeper LOGIN PASSWORD 'keeper'; GRANT ALL ON SCHEMA public TO keeper`);
    onTestFinished(async () => {
      await postgres.query('DROP OWNED BY keeper; DROP ROLE keeper');
    });
    const kept = new Kept(postgres.url('keeper', 'keeper'));
    await (await kept.becomes([['ada', 1n]])).close();
    await postgres.query('ALTER TABLE totals ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
    await expect(kept.becomes([['ada', 1n]])).rejects.toMatchObject({
      code: 'sink_refused',
      message: expect.stringContaining('row security hides rows'),
    });
  });
});
