import { parse } from 'libpg-query';
import { Parser } from 'node-sql-parser';
import { describe, expect, it } from 'vitest';
import { planOffline } from '../../../src/cli/check.ts';
import { exportView } from '../../../src/cli/export/export-view.ts';
import { shippedViews } from '../../oracle/shipped-plan.ts';
import { millrace } from '../command-line.ts';
import { exported } from './exported.ts';

const QUERIES = [
  'CREATE TABLE v AS SELECT k, COUNT(*) AS c FROM clicks WINDOW TUMBLING (SIZE 4 SECONDS, RETENTION 1 DAY, GRACE PERIOD 1 HOUR) GROUP BY k EMIT CHANGES;',
  'CREATE TABLE v AS SELECT k, COUNT(*) AS c FROM clicks WINDOW HOPPING (SIZE 5 SECONDS, ADVANCE BY 2 SECONDS) GROUP BY k;',
  'CREATE TABLE v AS SELECT k, TOPK(n, 2) AS best FROM clicks WINDOW SESSION (90 SECONDS) WHERE n > 0 GROUP BY k;',
  "CREATE STREAM v AS SELECT k, CAST(n AS STRING) AS s, at->x AS x, tags[1] AS tag, EXTRACTJSONFIELD(page, '$.a') AS j FROM clicks WHERE ARRAY_CONTAINS(tags, 'a') OR page LIKE '%a' AND NOT n BETWEEN 1 AND 3;",
  "CREATE STREAM v AS SELECT k, STRUCT(a := n, b := page) AS st, MAP('a' := n) AS m, SUBSTRING(page, 2, 3) AS sub, FORMAT_TIMESTAMP(FROM_UNIXTIME(ROWTIME), 'yyyy-MM') AS month FROM clicks PARTITION BY k;",
  'SELECT page, COUNT(*) FILTER (WHERE n > 1) AS c, AVG(price) AS mean FROM clicks WHERE n IN (1, 2) GROUP BY page HAVING COUNT(DISTINCT k) > 1;',
];

describe('PostgreSQL', () => {
  it('reads every shipped view', async () => {
    const planned = await planOffline([], {});
    for (const view of shippedViews()) {
      const { sql } = exportView(planned, view, 'postgres');
      await expect(parse(sql), sql).resolves.toMatchObject({ stmts: [{}] });
    }
  });

  it.each(QUERIES)('reads %s', async query => {
    const { sql } = exported(query, 'postgres');
    await expect(parse(sql), sql).resolves.toMatchObject({ stmts: [{}] });
  });
});

describe('Flink', () => {
  const flat = (sql: string) => exported(sql, 'flink').sql.replaceAll(/\s+/g, ' ');

  // the parser knows neither window table functions nor TIMESTAMPDIFF
  it.each([
    'word_counts',
    'revenue_by_day',
    'overdue_invoices',
    'invoice_totals',
    'invoice_records',
    'pageviews_per_user',
  ])('%s is read by a parser of its dialect', async view => {
    const { sql } = exportView(await planOffline([], {}), view, 'flink');
    const { tableList } = new Parser().parse(sql, { database: 'FlinkSQL' });
    expect(tableList).toEqual([expect.stringMatching(/^select::/)]);
  });

  it('has windows as table functions, and groups by their bounds', () => {
    expect(flat(QUERIES[0] as string)).toContain(
      "FROM TABLE(TUMBLE(TABLE `clicks`, DESCRIPTOR(`rowtime`), INTERVAL '4' SECOND)) AS `clicks` WHERE `k` IS NOT NULL GROUP BY `k`, `window_start`, `window_end`;",
    );
    expect(flat(QUERIES[1] as string)).toContain(
      "HOP(TABLE `clicks`, DESCRIPTOR(`rowtime`), INTERVAL '2' SECOND, INTERVAL '5' SECOND)",
    );
    expect(flat(QUERIES[2] as string)).toContain(
      "SESSION(TABLE `clicks` PARTITION BY (`k`), DESCRIPTOR(`rowtime`), INTERVAL '90' SECOND)",
    );
  });

  it('unnests in FROM', () => {
    expect(flat('CREATE STREAM v AS SELECT k, EXPLODE(tags) AS tag FROM clicks;')).toBe(
      'SELECT `k`, `exploded_1` AS `tag` FROM `clicks` CROSS JOIN UNNEST(`tags`) AS `exploding_1` (`exploded_1`);',
    );
  });

  it('has its own types, and AVG of whole numbers as a DOUBLE', () => {
    expect(flat('SELECT k, AVG(n) AS a, MAX(CAST(price AS STRING)) AS p FROM clicks GROUP BY k;')).toBe(
      'SELECT `k`, AVG(CAST(`n` AS DOUBLE)) AS `a`, MAX(CAST(`price` AS STRING)) AS `p` FROM `clicks` GROUP BY `k`;',
    );
  });
});

describe('what does not carry over', () => {
  const notes = (sql: string, dialect: 'flink' | 'postgres' | 'duckdb') =>
    exported(sql, dialect).notes.join('\n');

  it('is told, each thing once', () => {
    const told = notes(QUERIES[0] as string, 'duckdb');
    for (const thing of ['RETENTION', 'GRACE PERIOD', 'EMIT CHANGES', 'rowtime']) {
      expect(told.split('\n').filter(n => n.startsWith(thing))).toHaveLength(1);
    }
    expect(notes(QUERIES[4] as string, 'postgres')).toContain('PARTITION BY is left out');
    expect(notes(QUERIES[4] as string, 'postgres')).toContain('names of fields are lost');
    expect(
      notes('CREATE STREAM v AS SELECT k, TRANSFORM(tags, t => UCASE(t)) AS u FROM clicks;', 'flink'),
    ).toMatch(/no lambdas/);
    expect(notes('CREATE STREAM v AS SELECT k, MASK(page) AS m FROM clicks;', 'duckdb')).toContain(
      'MASK(...) has no counterpart in DuckDB',
    );
  });
});

describe('millrace export', () => {
  it('prints the query, and the notes beside it', async () => {
    const ran = await millrace(['export', 'revenue_by_day', '--dialect', 'duckdb']);
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/^SELECT\n {2}paid_on AS day,\n[\s\S]*GROUP BY paid_on, currency;\n$/);
    expect(ran.err).toBe('note: payments is a table of all records of the stream in DuckDB\n');
  });

  it('gives both as JSON', async () => {
    const { out } = await millrace(['export', 'words', '--dialect', 'flink', '--json']);
    expect(JSON.parse(out)).toMatchObject({ name: 'words', dialect: 'flink', notes: [expect.any(String)] });
  });

  it('knows the names of the views, and the dialects', async () => {
    const ran = await millrace(['export', 'wordz', '--dialect', 'duckdb']);
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('did you mean "words"?') });
    expect(await millrace(['export', 'words', '--dialect', 'oracle'])).toMatchObject({ code: 2 });
  });
});
