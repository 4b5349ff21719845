import { describe, expect, it } from 'vitest';
import { columnsEngine, foldEngine } from '../../src/cli/test/case-engine.ts';
import { runSqlTests } from '../../src/cli/test/sql-test-runner.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { standardLibrary } from '../../src/expr/library.ts';

const PRELUDE = `
CREATE STREAM payments (payer STRING KEY, amount DECIMAL(10, 2)) WITH (kafka_topic='payments', value_format='JSON');
CREATE TABLE invoices (id STRING PRIMARY KEY, due TIMESTAMP) WITH (kafka_topic='invoices', value_format='JSON');
CREATE TABLE totals AS SELECT payer, COUNT(*) AS n, SUM(amount) AS total FROM payments GROUP BY payer;
CREATE TABLE big AS SELECT payer, SUM(amount) AS total FROM payments GROUP BY payer HAVING SUM(amount) > 10;
CREATE VIEW overdue AS SELECT id FROM invoices WHERE due < NOW();
`;

const engines = [
  { name: 'fold', engine: foldEngine },
  { name: 'columns', engine: columnsEngine(createEngine) },
];

describe.each(engines)('view tests in SQL on $name', ({ engine }) => {
  const run = (text: string) => [
    ...runSqlTests([{ file: 'a.test.sql', text }], {
      engine,
      functions: standardLibrary,
      zone: 'UTC',
      prelude: PRELUDE,
    }),
  ];
  const one = (body: string) => run(`--@test: it\n${body}`)[0];

  it('stand on the project and take the changes of a relation one by one', () => {
    expect(
      one(`
        INSERT INTO payments (payer, amount) VALUES ('ann', 1.50);
        INSERT INTO payments (payer, amount) VALUES ('ann', 2);
        ASSERT VALUES totals (payer, n, total) VALUES ('ann', 1, 1.50);
        ASSERT VALUES totals (payer, total) VALUES ('ann', 3.50);`),
    ).toMatchObject({ name: 'it', status: 'pass' });
  });

  it('a deletion of what was never there is no change', () => {
    expect(
      one(`
        INSERT INTO payments (payer, amount) VALUES ('ann', 5);
        INSERT INTO payments (payer, amount) VALUES ('ann', 6);
        INSERT INTO payments (payer, amount) VALUES ('ann', -2);
        ASSERT VALUES big (payer, total) VALUES ('ann', 11);
        ASSERT NULL VALUES big (payer) KEY ('ann');`),
    ).toMatchObject({ status: 'pass' });
  });

  it('a wrong value fails at its statement, with both rows', () => {
    const result = one(`
INSERT INTO payments (payer, amount) VALUES ('ann', 1);
ASSERT VALUES totals (payer, n) VALUES ('ann', 2);`);
    expect(result).toMatchObject({ status: 'fail' });
    expect(result?.reason).toContain(
      'a.test.sql:4:1: expected (payer ann, n 2), but "totals" gave (payer ann, n 1)',
    );
  });

  it('a missing change fails', () => {
    expect(one("ASSERT VALUES totals (payer) VALUES ('ann');")?.reason).toContain('has no further change');
  });

  it('the clock moves only when it is told to', () => {
    expect(
      one(`
        INSERT INTO invoices (id, due) VALUES ('i1', '2026-01-31T00:00:00');
        ADVANCE CLOCK TO '2026-01-31T00:00:00';
        ADVANCE CLOCK TO '2026-02-01T00:00:00';
        ASSERT VALUES overdue (id) VALUES ('i1');`),
    ).toMatchObject({ status: 'pass' });
    expect(
      one(`
        INSERT INTO invoices (id, due) VALUES ('i1', '2026-01-31T00:00:00');
        ADVANCE CLOCK TO '2026-01-31T00:00:00';
        ASSERT VALUES overdue (id) VALUES ('i1');`),
    ).toMatchObject({ status: 'fail' });
    expect(one("ADVANCE CLOCK TO '2026-02-01'; ADVANCE CLOCK TO '2026-01-01';")?.reason).toContain(
      'does not go back',
    );
  });

  it('ROWTIME is given and asserted', () => {
    const insert = "INSERT INTO payments (ROWTIME, payer, amount) VALUES (1234, 'ann', 1);";
    expect(one(`${insert} ASSERT VALUES totals (ROWTIME, payer) VALUES (1234, 'ann');`)).toMatchObject({
      status: 'pass',
    });
    expect(one(`${insert} ASSERT VALUES totals (ROWTIME, payer) VALUES (1, 'ann');`)?.reason).toContain(
      'ROWTIME',
    );
  });

  it('kinds and topics', () => {
    expect(
      one('ASSERT TABLE totals (payer STRING PRIMARY KEY, n BIGINT, total DECIMAL(10, 2));'),
    ).toMatchObject({
      status: 'pass',
    });
    expect(one('ASSERT STREAM totals;')).toMatchObject({ status: 'fail' });
    expect(one("ASSERT TOPIC 'TOTALS';")).toMatchObject({ status: 'pass' });
    expect(one("ASSERT NOT EXISTS TOPIC 'nowhere';")).toMatchObject({ status: 'pass' });
  });

  it('a test that declares its own relations stands alone; several tests share nothing but the head', () => {
    const results = run(`
CREATE STREAM s (v INT) WITH (kafka_topic='s', value_format='JSON');
CREATE STREAM doubled AS SELECT v * 2 AS w FROM s;
--@test: first
INSERT INTO s (v) VALUES (1);
ASSERT VALUES doubled (w) VALUES (2);
--@test: second
INSERT INTO s (v) VALUES (4);
ASSERT VALUES doubled (w) VALUES (8);`);
    expect(results).toMatchObject([
      { name: 'first', status: 'pass' },
      { name: 'second', status: 'pass' },
    ]);
  });

  it('an expected refusal passes, any other is an error with its place', () => {
    expect(one('--@expected.error: unknown_source\nINSERT INTO nowhere VALUES (1);')).toMatchObject({
      status: 'pass',
    });
    expect(one('--@expected.message: no such text\nINSERT INTO nowhere VALUES (1);')).toMatchObject({
      status: 'fail',
    });
    const result = one('INSERT INTO nowhere VALUES (1);');
    expect(result).toMatchObject({ status: 'error' });
    expect(result?.reason).toContain('a.test.sql:2:13: unknown stream or table "nowhere"');
  });

  it('a file without tests is an error', () => {
    expect(run('SELECT 1;')).toMatchObject([{ status: 'error' }]);
  });
});
