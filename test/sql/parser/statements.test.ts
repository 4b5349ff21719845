import { describe, expect, it } from 'vitest';
import { MillraceErrors } from '../../../src/core/errors.ts';
import type { Statement } from '../../../src/sql/ast.ts';
import { parseExpressionText, parseStatements, parseTypeText } from '../../../src/sql/parse.ts';
import { printExpression, printStatement, printTypeName } from '../../../src/sql/print.ts';

function parse(text: string, variables: Readonly<Record<string, string>> = {}): readonly Statement[] {
  const source = { file: 'q.sql', text };
  const { statements, errors } = parseStatements(source, { variables: new Map(Object.entries(variables)) });
  if (errors.length > 0) throw new MillraceErrors(errors);
  return statements;
}

describe('every statement of KSQL', () => {
  it.each([
    ["CREATE STREAM s (id INT KEY, `v` DOUBLE) WITH (KAFKA_TOPIC = 's', PARTITIONS = 2)", 'createSource'],
    [
      "CREATE OR REPLACE SOURCE TABLE IF NOT EXISTS t (id INT PRIMARY KEY) WITH (KAFKA_TOPIC = 't')",
      'createSource',
    ],
    [
      "CREATE STREAM s (h ARRAY<STRUCT<key STRING, value BYTES>> HEADERS, o BYTES HEADER('origin')) WITH (A = -1)",
      'createSource',
    ],
    ["CREATE TABLE t WITH (FORMAT = 'JSON', WRAP = FALSE, X = NULL) AS SELECT a FROM s", 'createAs'],
    ['CREATE VIEW v AS SELECT 1', 'createAs'],
    ['INSERT INTO s SELECT * FROM t EMIT CHANGES', 'insertInto'],
    ["INSERT INTO s (a, b) VALUES (1, 'x')", 'insertValues'],
    ['SELECT a FROM s', 'select'],
    ['CREATE TYPE address AS STRUCT<city STRING, zip INT>', 'createType'],
    ['DROP STREAM IF EXISTS s DELETE TOPIC', 'drop'],
    ['DROP TYPE IF EXISTS address', 'dropType'],
    ['ALTER TABLE t ADD COLUMN a INT, ADD COLUMN b STRING', 'alter'],
    ['ASSERT VALUES t (a, b) VALUES (1, NULL)', 'assert'],
    ['ASSERT NULL VALUES t (a) KEY (1)', 'assert'],
    ["ASSERT STREAM s (a INT KEY) WITH (KAFKA_TOPIC = 's')", 'assert'],
    ['ASSERT NOT EXISTS TOPIC t WITH (PARTITIONS = 1) TIMEOUT 3 SECONDS', 'assert'],
    ['ASSERT SCHEMA SUBJECT s ID 4', 'assert'],
    ["ADVANCE CLOCK TO '2024-02-29T12:00:00Z'", 'assert'],
    ["DEFINE name = 'value'", 'define'],
    ['UNDEFINE name', 'undefine'],
    ["SET 'auto.offset.reset' = 'earliest'", 'set'],
    ["UNSET 'auto.offset.reset'", 'unset'],
    ['EXPLAIN SELECT a FROM s', 'explain'],
    ['EXPLAIN query_1', 'explain'],
    ['SHOW ALL TOPICS', 'other'],
  ])('%s', (text, kind) => {
    const [statement, ...rest] = parse(`${text};`);
    expect(rest).toEqual([]);
    expect(statement?.kind).toBe(kind);
    expect(printStatement(statement!)).toBe(text);
    expect(statement?.span).toEqual({ start: 0, end: text.length });
  });

  it.each([
    'DESCRIBE s EXTENDED',
    "PRINT 'topic' FROM BEGINNING INTERVAL 5 LIMIT 3",
    'TERMINATE ALL',
    'PAUSE q',
    'RESUME q',
    "CREATE SINK CONNECTOR c WITH ('connector.class' = 'x')",
    'DROP CONNECTOR c',
    "ALTER SYSTEM 'a' = 'b'",
    "RUN SCRIPT 'x.sql'",
  ])('known, not run: %s', text => {
    expect(parse(`${text}; SELECT 1;`).map(s => s.kind)).toEqual(['other', 'select']);
  });
});

describe('every clause of a query', () => {
  it.each([
    'SELECT * FROM a LEFT JOIN b WITHIN (1 HOUR, 2 HOURS) GRACE PERIOD 5 MINUTES ON a.x = b.x FULL JOIN c ON a.x = c.x',
    'SELECT x, COUNT(*) AS n FROM s AS t WINDOW HOPPING (SIZE 30 SECONDS, ADVANCE BY 10 SECONDS, RETENTION 1 DAY, GRACE PERIOD 1 SECOND) WHERE x > 1 GROUP BY x HAVING COUNT(*) > 2 EMIT FINAL CLOSE AFTER 2 MINUTES',
    'SELECT * FROM s WINDOW SESSION (5 MINUTES) PARTITION BY a, b EMIT CHANGES LIMIT 5',
    'WITH x (a) AS (SELECT 1), y AS (VALUES (1), (2)) SELECT DISTINCT x.*, s->*, s->f->g FROM x CROSS JOIN y JOIN z USING (a, b)',
    'SELECT a FROM t UNION ALL (SELECT a FROM u INTERSECT SELECT a FROM v ORDER BY a DESC NULLS LAST LIMIT 1 OFFSET 2) EXCEPT SELECT 1',
    'SELECT SUM(x) FILTER (WHERE y), ROW_NUMBER() OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t',
    'SELECT a FROM t GROUP BY a, GROUPING SETS ((a, b), (c), ())',
    'SELECT n FROM UNNEST(ARRAY[1, 2]) AS u (n) JOIN generate_series(1, 3) AS g ON u.n = g.g',
    'SELECT a FROM (SELECT b FROM t) AS q (a) WHERE a IN (SELECT c FROM u) AND EXISTS (SELECT 1) AND (SELECT 2) = a',
    "SELECT STRING_AGG(DISTINCT a, ', ' ORDER BY b DESC NULLS LAST, c) FILTER (WHERE d), MODE() WITHIN GROUP (ORDER BY e) FROM t GROUP BY ALL",
    'SELECT a < ANY (SELECT b FROM u), NOT a <> ANY (SELECT b FROM u), (a = b) >= ANY (SELECT b FROM u) FROM t CROSS JOIN UNNEST(a) AS x (y)',
    "SELECT TRANSFORM(m, (k, v) => k || 'x', (k, v) => v * 2), FILTER(a, x => x IS NOT DISTINCT FROM NULL) FROM t",
    "SELECT MAP('a' := 1), STRUCT(f := 1, `g h` := 2), ARRAY[], a[-1], CASE a WHEN 1 THEN 2 ELSE 3 END, CASE WHEN b THEN 1 END FROM t",
    "SELECT TIMESTAMPADD(SECOND, 5, ts), f(7 DAYS), EXTRACT(YEAR FROM d), DATE '2024-01-31', INTERVAL '2' MONTH, ts AT TIME ZONE 'UTC' FROM t",
    "SELECT a LIKE 'x!%' ESCAPE '!', b NOT BETWEEN 1 AND 2, c IS NOT TRUE, -(-d), +e, 1.50, .5, 1E3, 9223372036854775808 FROM t",
  ])('%s', text => {
    expect(parse(text).map(s => printStatement(s))).toEqual([text]);
  });

  it.each([
    [
      'keywords that are also names',
      'SELECT size, timestamp, date, count, key, stream, topic, `from`, t.table, view FROM stream emit',
    ],
    ['EMIT as the alias of a source', 'SELECT emit.a FROM t emit EMIT CHANGES'],
    ['a name that begins with a digit', 'SELECT 1st, t.2nd FROM t'],
    ['LEFT and RIGHT as functions', 'SELECT LEFT(a, 1), RIGHT(a, 1) FROM t LEFT JOIN u ON LEFT(a, 1) = b'],
    ['REPLACE and IF as functions', "SELECT REPLACE(a, 'x', 'y'), IF(a, b, c) FROM t"],
    ['a type written behind', 'CREATE TYPE t AS INT ARRAY'],
    ['SUBSTRING of the standard', 'SELECT SUBSTRING(a FROM 2 FOR 3) FROM t'],
    ['a keyword behind an arrow', 'SELECT a->from->select FROM t'],
    ['SOME as ANY', 'SELECT a > SOME (SELECT b FROM u), a >= ALL ((SELECT b FROM u) UNION SELECT 1) FROM t'],
    ['grouping in parentheses', 'SELECT 1 FROM t GROUP BY (a, b)'],
    ['grouping by what begins with one', 'SELECT 1 FROM t GROUP BY (a + b) * c, d'],
    ['a join in parentheses', 'SELECT 1 FROM a JOIN (b JOIN c ON x) ON y'],
    ['an empty row', 'INSERT INTO t VALUES ()'],
  ])('accepts %s', (_, text) => {
    expect(parse(text)).toHaveLength(1);
  });
});

describe('ANY and ALL of a query', () => {
  const shown = (text: string) => printStatement(parse(`SELECT ${text} FROM t`)[0] as never).slice(7, -7);

  it.each([
    ['a = ANY (SELECT b FROM u)', 'a IN (SELECT b FROM u)'],
    ['a <> ALL (SELECT b FROM u)', 'a NOT IN (SELECT b FROM u)'],
    ['a = ALL (SELECT b FROM u)', 'NOT a <> ANY (SELECT b FROM u)'],
    ['a < ALL (SELECT b FROM u)', 'NOT a >= ANY (SELECT b FROM u)'],
    ['a >= SOME (SELECT b FROM u)', 'a >= ANY (SELECT b FROM u)'],
  ])('%s is %s', (text, meaning) => {
    expect(shown(text)).toBe(meaning);
  });
});

describe('comments', () => {
  it('give a statement the block before it', () => {
    const text = `-- a file of views

-- What each customer owes,
-- by currency.
CREATE VIEW a AS SELECT 1; -- the end
/* The second
 * view. */
CREATE VIEW b AS SELECT /* not this */ 2;
CREATE VIEW c AS SELECT 3;
--@test: one
SELECT 4`;
    expect(parse(text).map(s => s.comment)).toEqual([
      'What each customer owes,\nby currency.',
      'The second\nview.',
      '',
      '@test: one',
    ]);
  });
});

describe('variables', () => {
  it('stand for names, numbers and text, and inside of text', () => {
    const [, , select] = parse(
      `DEFINE t = 'payments'; DEFINE unit = '''EUR'''; SELECT \${N}, '\${t}!', \${unit} FROM \${t}`,
      {
        n: '-3',
      },
    );
    expect(printStatement(select!)).toBe("SELECT -3, 'payments!', 'EUR' FROM payments");
  });

  it('end with UNDEFINE; text keeps what is not defined', () => {
    const text = `DEFINE a = 'x'; SELECT '\${a}'; UNDEFINE a; SELECT '\${a}';`;
    expect(parse(text).map(s => printStatement(s))).toContain(`SELECT '\${a}'`);
    expect(() => parse(`DEFINE a = 'x'; UNDEFINE a; SELECT \${a};`)).toThrow('unknown variable "a"');
  });

  it('cannot change the shape of a statement', () => {
    expect(() => parse(`SELECT \${a} FROM t`, { a: 'b FROM secrets --' })).toThrow(
      'not one name, number or text',
    );
  });
});

describe('what survives an error', () => {
  it('is every other statement', () => {
    const text =
      'SELECT 1; SELECT FROM t; SELECT 2;\nDROP STREAM a\nDROP STREAM b; SELECT 3 FORM x y; SELECT 4';
    const { statements, errors } = parseStatements({ file: 'q.sql', text });
    expect(statements.map(s => printStatement(s))).toEqual(['SELECT 1', 'SELECT 2', 'SELECT 4']);
    expect(errors.map(e => e.message)).toEqual([
      'expected an expression after "SELECT", found "FROM"',
      'expected ";" before "DROP"',
      'unexpected "FORM"',
    ]);
  });
});

describe('parts of a statement', () => {
  it('are read alone', () => {
    expect(printExpression(parseExpressionText({ file: 'filter', text: ' a  + 1 ' }))).toBe('a + 1');
    expect(printTypeName(parseTypeText({ file: 'type', text: 'map<string,array<decimal(4,2)>>' }))).toBe(
      'MAP<string, ARRAY<decimal(4, 2)>>',
    );
  });

  it.each(['a +', 'a b', '', "'x"])('and refused: %s', text => {
    expect(() => parseExpressionText({ file: 'filter', text })).toThrow(MillraceErrors);
  });
});
