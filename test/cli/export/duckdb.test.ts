import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layDownSample } from '../../../pipelines/sample/sample-history.ts';
import { planOffline } from '../../../src/cli/check.ts';
import { exportView } from '../../../src/cli/export/export-view.ts';
import { CommandRuntime } from '../../../src/commands/command-runtime.ts';
import { ManualClock } from '../../../src/core/clock.ts';
import { invoiceEntity } from '../../../src/invoice/invoice-entity.ts';
import { createMemoryLog } from '../../../src/log/memory-log.ts';
import { answers, duckdbOver } from '../../pipelines/duckdb-answers.ts';
import { exported } from './exported.ts';

const UNTIL = Date.UTC(2026, 10, 24, 10);
const TODAY = '2026-11-24';

/** The sources of the shipped views as the notes of an export expect them. */
const SOURCES = `
  invoices AS (SELECT DISTINCT ON (invoice_id) * FROM snapshots ORDER BY invoice_id, seq DESC),
  authorization_attempts AS (SELECT *, epoch_ms(ts) AS rowtime FROM attempts),
  page_views AS (SELECT *, seq AS rowoffset FROM main.page_views),
  orders AS (
    SELECT DISTINCT ON (order_id) * REPLACE (from_json(items, '[{"sku": "VARCHAR", "quantity": "INT"}]') AS items)
    FROM order_versions ORDER BY order_id, seq DESC)`;

/** Views that others read. */
const READ = ['words', 'open_orders', 'stock_on_hand'];

/** Where the hand-written query gives lists as the JSON that came. */
const SHOWN: Readonly<Record<string, string>> = { open_orders: '* REPLACE (to_json(items) AS items)' };

describe('shipped views, exported and run on DuckDB over the sample', () => {
  let folder: string;
  let duckdb: Awaited<ReturnType<typeof duckdbOver>>;
  let sqlOf: (view: string) => string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-export-'));
    const log = createMemoryLog({ clock: new ManualClock(UNTIL) });
    const onError = (error: unknown) => {
      throw error;
    };
    const commands = new CommandRuntime({ log, entity: invoiceEntity, onError });
    await layDownSample({ log, commands, until: UNTIL, seed: 3 });
    duckdb = await duckdbOver(log, folder);
    const planned = await planOffline([], {});
    sqlOf = view => exportView(planned, view, 'duckdb').sql.replace(/;$/, '');
  }, 60_000);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(Object.keys(answers(TODAY)))('%s has the rows that hand-written SQL gives', async view => {
    const sql = sqlOf(view).replaceAll('CURRENT_DATE', `DATE '${TODAY}'`);
    const read = READ.map(name => `${name} AS (${sqlOf(name)})`);
    const rows = await duckdb(
      `WITH ${[SOURCES, ...read].join(', ')} SELECT ${SHOWN[view] ?? '*'} FROM (${sql})`,
    );
    expect(rows.length).toBeGreaterThan(20);
    expect(rows).toEqual(await duckdb(answers(TODAY)[view] as string));
  });
});

describe('what a query says, run on DuckDB', () => {
  let connection: DuckDBConnection;
  beforeAll(async () => {
    connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(`
      CREATE TABLE clicks AS SELECT k, page, n, price, tags, "at", epoch_ms(t) AS rowtime, t AS rowoffset FROM (VALUES
        ('a', '/x', 7, 1.50::DECIMAL(8, 2), ['s', 't'], {'x': 1, 'y': 2}, 1000),
        ('a', '/y', 2, 2.00, ['u'], {'x': 3, 'y': 4}, 3000),
        ('b', '/x', NULL, NULL, [], NULL, 4000),
        (NULL, '/z', 1, 1.00, NULL, NULL, 4500),
        ('a', NULL, -7, 0.25, ['v'], {'x': 5, 'y': 6}, 9000)) AS v (k, page, n, price, tags, "at", t)`);
  });

  async function rows(sql: string): Promise<string[]> {
    const { sql: text } = exported(sql, 'duckdb');
    const reader = await connection.runAndReadAll(
      `SELECT COLUMNS(*)::VARCHAR FROM (${text.replace(/;$/, '')})`,
    );
    return reader
      .getRows()
      .map(row => row.map(cell => cell ?? 'null').join(' | '))
      .sort();
  }

  it.each([
    [
      'tumbling windows; a row without key does not count',
      'CREATE TABLE v AS SELECT k, COUNT(*) AS c FROM clicks WINDOW TUMBLING (SIZE 4 SECONDS) GROUP BY k;',
      ['a | 0 | 4000 | 2', 'a | 8000 | 12000 | 1', 'b | 4000 | 8000 | 1'],
    ],
    [
      'hopping windows: a row is in each that covers it',
      "CREATE TABLE v AS SELECT k, COUNT(*) AS c FROM clicks WINDOW HOPPING (SIZE 4 SECONDS, ADVANCE BY 2 SECONDS) WHERE k = 'b' GROUP BY k;",
      ['b | 2000 | 6000 | 1', 'b | 4000 | 8000 | 1'],
    ],
    [
      'session windows end with their last row',
      'CREATE TABLE v AS SELECT k, COUNT(*) AS c FROM clicks WINDOW SESSION (2 SECONDS) GROUP BY k;',
      ['a | 1000 | 3000 | 2', 'a | 9000 | 9000 | 1', 'b | 4000 | 4000 | 1'],
    ],
    [
      'bounds of the window as columns',
      'CREATE TABLE v AS SELECT k, COUNT(*) AS c, WINDOWSTART AS opened FROM clicks WINDOW TUMBLING (SIZE 8 SECONDS) GROUP BY k;',
      ['a | 0 | 8000 | 2 | 0', 'a | 8000 | 16000 | 1 | 8000', 'b | 0 | 8000 | 1 | 0'],
    ],
    [
      'sums of nothing are 0 in strict KSQL, the last value leaves out NULL',
      'CREATE TABLE v AS SELECT k, SUM(n) AS s, LATEST_BY_OFFSET(page) AS p FROM clicks GROUP BY k;',
      ['a | 2 | /y', 'b | 0 | /x'],
    ],
    [
      'and NULL in complete SQL, which groups NULL keys as well',
      'SELECT k, SUM(n) AS s FROM clicks GROUP BY k;',
      ['a | 2', 'b | null', 'null | 1'],
    ],
    [
      'whole numbers divide to whole numbers',
      "CREATE STREAM v AS SELECT k, n / 2 AS half FROM clicks WHERE k = 'a';",
      ['a | -3', 'a | 1', 'a | 3'],
    ],
    [
      'structs, arrays and lambdas',
      "CREATE STREAM v AS SELECT k, at->x + at->y AS xy, tags[1] AS tag, TRANSFORM(tags, t => UCASE(t)) AS upper FROM clicks WHERE n > 0 AND (k = 'a' OR k = 'c');",
      ['a | 3 | s | [S, T]', 'a | 7 | u | [U]'],
    ],
    [
      'OR under AND and under NOT keeps its place',
      "CREATE STREAM v AS SELECT k, n FROM clicks WHERE NOT (k = 'b' OR page = '/x') AND (n = 2 OR n = 7 OR n = -7);",
      ['a | 2'],
    ],
    [
      'elements of a list under a name of their own',
      'CREATE VIEW v AS SELECT c.k, tag FROM clicks c, UNNEST(c.tags) AS tag;',
      ['a | s', 'a | t', 'a | u', 'a | v'],
    ],
    [
      'the event time in milliseconds',
      'CREATE STREAM v AS SELECT k, ROWTIME AS t FROM clicks WHERE ROWTIME >= 4000;',
      ['a | 9000', 'b | 4000', 'null | 4500'],
    ],
    [
      'texts in a pattern',
      "CREATE STREAM v AS SELECT k, FORMAT_TIMESTAMP(FROM_UNIXTIME(ROWTIME), 'yyyy-MM-dd''T''HH:mm:ss') AS t FROM clicks WHERE k = 'b';",
      ['b | 1970-01-01T00:00:04'],
    ],
  ])('%s', async (_, sql, expected) => {
    expect(await rows(sql)).toEqual(expected);
  });
});
