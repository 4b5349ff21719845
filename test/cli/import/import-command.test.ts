import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { millrace, newFolder, removeFolders } from '../command-line.ts';

afterAll(removeFolders);

const SCRIPT = `CREATE TYPE reading AS STRUCT<c DOUBLE>;
CREATE STREAM sensors (id STRING KEY, r reading) WITH (KAFKA_TOPIC = 'sensors', VALUE_FORMAT = 'JSON');
CREATE TABLE WARM AS SELECT id, COUNT(*) AS n FROM sensors WHERE r->c > 20 GROUP BY id EMIT CHANGES;
SHOW STREAMS;
`;

function script(text: string) {
  const folder = newFolder();
  const file = join(folder, 'script.sql');
  writeFileSync(file, text);
  const views = join(folder, 'views');
  return { views, run: (...more: string[]) => millrace(['import', 'ksql', file, '--into', views, ...more]) };
}

it('writes a folder that the planner takes, and lists the rest', async () => {
  const { views, run } = script(SCRIPT);
  const ran = await run();
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toContain('line 4: SHOW STREAMS\n');
  expect(ran.out).toContain('3 files, 1 decision, 0 errors');
  expect(await millrace(['check', views])).toMatchObject({ code: 0, err: '' });
});

it('writes nothing in a dry run, and says the same', async () => {
  const { views, run } = script(SCRIPT);
  const ran = await run('--dry-run', '--json');
  expect(existsSync(views)).toBe(false);
  expect(JSON.parse(ran.out)).toMatchObject({
    files: [{ line: 1, fate: 'written' }, { line: 2 }, { line: 3, file: join(views, 'WARM.sql') }],
    decisions: [{ line: 4, statement: 'SHOW STREAMS' }],
    errors: [],
  });
});

it('keeps files that are there, unless it is forced', async () => {
  const { views, run } = script(SCRIPT);
  await run();
  const file = join(views, 'WARM.sql');
  const own = 'CREATE TABLE WARM AS SELECT id, COUNT(*) AS mine FROM sensors GROUP BY id;\n';
  writeFileSync(file, own);
  expect(await run()).toMatchObject({ code: 1, out: expect.stringContaining('kept') });
  expect(readFileSync(file, 'utf8')).toBe(own);
  expect(await run('--force')).toMatchObject({ code: 0 });
  expect(readFileSync(file, 'utf8')).not.toBe(own);
});

it('shows what the planner refuses, and what cannot be read', async () => {
  const { run } = script(`${SCRIPT}CREATE TABLE W2 AS SELECT idd FROM sensors;\nCREATE NONSENSE;\n`);
  const ran = await run();
  expect(ran.code).toBe(1);
  expect(ran.err).toContain('W2.sql:1:');
  expect(ran.err).toContain('script.sql:6:');
});
