import { afterAll, beforeAll } from 'vitest';
import { jsonWriter } from '../../src/expr/value-json.ts';
import { postgresSink } from '../../src/sinks/postgres/postgres-target.ts';
import { Postgres } from './postgres.ts';
import { sinkTargetContract } from './sink-target.contract.ts';

let server: Postgres;
beforeAll(async () => {
  server = await Postgres.start();
});
afterAll(() => server.remove());

let places = 0;

sinkTargetContract('PostgreSQL', async () => {
  const schema = `place ${++places}`;
  return {
    kind: sink =>
      postgresSink({
        sink,
        url: server.url(),
        schema,
        table: 'Rows',
        json: type => jsonWriter(type, { numbers: 'json' }),
      }),
    read: async () => {
      const client = await server.client();
      try {
        const [there] = (await client.query(`SELECT to_regclass('"${schema}"."Rows"') AS t`)).rows;
        if (there?.t === null) return null;
        const columns = await client.query<{ name: string }>(
          `SELECT attname AS name FROM pg_attribute
            WHERE attrelid = '"${schema}"."Rows"'::regclass AND attnum > 0 AND attname <> 'millrace_key' ORDER BY attnum`,
        );
        const texts = columns.rows.map(c => `"${c.name}"::text`).join(', ');
        const { rows } = await client.query<(string | null)[]>({
          text: `SELECT ${texts} FROM "${schema}"."Rows" ORDER BY 1`,
          rowMode: 'array',
        });
        return rows;
      } finally {
        await client.end();
      }
    },
    remove: async () => {
      await server.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
    },
  };
});
