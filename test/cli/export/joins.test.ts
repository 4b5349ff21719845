import { parse } from 'libpg-query';
import { expect, it } from 'vitest';
import type { Dialect } from '../../../src/cli/export/dialect.ts';
import { Notes } from '../../../src/cli/export/notes.ts';
import { exportQuery } from '../../../src/cli/export/queries.ts';
import { parseStatements } from '../../../src/sql/parse.ts';

function printed(text: string, dialect: Dialect, columns: readonly string[] = []): string {
  const [statement] = parseStatements({ file: 'v.sql', text }).statements;
  if (statement?.kind !== 'select') throw new Error('expected a query');
  const options = { dialect, notes: new Notes(), strict: true, columns, integersOf: () => [] };
  return exportQuery(statement.query, options).replaceAll(/\s+/g, ' ');
}

it('WITHIN becomes a condition on the times of both sides, beside ON', async () => {
  const sql = printed(
    'SELECT o.id, p.amount FROM orders o LEFT JOIN payments p WITHIN (1 HOUR, 2 DAYS) ON o.id = p.id OR o.ref = p.id;',
    'postgres',
  );
  expect(sql).toBe(
    "SELECT o.id, p.amount FROM orders AS o LEFT JOIN payments AS p ON (o.id = p.id OR o.ref = p.id) AND p.rowtime BETWEEN o.rowtime - INTERVAL '1 hours' AND o.rowtime + INTERVAL '2 days'",
  );
  await expect(parse(sql)).resolves.toMatchObject({ stmts: [{}] });
});

it('columns that KSQL tells apart by their side keep these names', () => {
  const text = 'SELECT a.id, a.x, b.x FROM a JOIN b ON a.id = b.id;';
  expect(printed(text, 'duckdb', ['A_ID', 'A_X', 'B_X'])).toBe(
    'SELECT a.id AS A_ID, a.x AS A_X, b.x AS B_X FROM a JOIN b ON a.id = b.id',
  );
});

it('common tables, set operations, subqueries and order stay', async () => {
  const text = `WITH big AS (SELECT id FROM a WHERE n > 3) SELECT id FROM big WHERE id IN (SELECT id FROM b)
    UNION ALL SELECT id FROM c EXCEPT SELECT id FROM d ORDER BY id DESC NULLS LAST LIMIT 3 OFFSET 1;`;
  const sql = printed(text, 'postgres');
  expect(sql).toBe(
    'WITH big AS (SELECT id FROM a WHERE n > 3) (SELECT id FROM big WHERE id IN (SELECT id FROM b) UNION ALL SELECT id FROM c) ' +
      'EXCEPT SELECT id FROM d ORDER BY id DESC NULLS LAST LIMIT 3 OFFSET 1',
  );
  await expect(parse(sql)).resolves.toMatchObject({ stmts: [{}] });
});

it('a window over a join is refused with a way out', () => {
  const text = 'SELECT a.id FROM a JOIN b ON a.id = b.id WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY a.id;';
  expect(() => printed(text, 'flink')).toThrow(/cannot be exported/);
});
