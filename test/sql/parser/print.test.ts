import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../../src/core/errors.ts';
import type { Expression, Statement } from '../../../src/sql/ast.ts';
import { parseExpressionText, parseStatements } from '../../../src/sql/parse.ts';
import { printStatement } from '../../../src/sql/print.ts';
import { statement, withoutSpans } from './random-tree.ts';

function parseOne(text: string): Statement {
  const { statements, errors } = parseStatements({ file: 'printed', text });
  if (errors.length > 0) throw new Error(`${text}\n${errors.map(errorText).join('\n')}`);
  expect(statements, text).toHaveLength(1);
  return statements[0]!;
}

/** Every expression of a tree that can stand alone; `type` holds types, whose kinds have the same names. */
function expressionsIn(node: unknown): Expression[] {
  if (node === null || typeof node !== 'object') return [];
  const inner = Object.entries(node).flatMap(([key, child]) => (key === 'type' ? [] : expressionsIn(child)));
  return isExpression(node) ? [node, ...inner] : inner;
}

const ALONE = new Set(
  'null boolean number string typedLiteral column call unary binary between like in isNull isTruth case cast field subscript array map struct extract exists'.split(
    ' ',
  ),
);

function isExpression(node: object): node is Expression {
  return 'kind' in node && typeof node.kind === 'string' && ALONE.has(node.kind);
}

describe('printing', () => {
  const seed = Number(process.env.MILLRACE_SEED ?? randomInt(2 ** 31));

  it(`keeps the tree: parsing the printed text gives it back (seed ${seed})`, () => {
    fc.assert(
      fc.property(statement, tree => {
        const text = printStatement(tree);
        expect(withoutSpans(parseOne(text)), text).toBe(withoutSpans(tree));
      }),
      { seed, numRuns: 2000 },
    );
  });

  it(`finds every expression again at its place (seed ${seed})`, () => {
    let found = 0;
    fc.assert(
      fc.property(statement, tree => {
        const text = printStatement(tree);
        for (const e of expressionsIn(parseOne(text))) {
          const slice = text.slice(e.span.start, e.span.end);
          expect(withoutSpans(parseExpressionText({ file: 'slice', text: slice })), text).toBe(
            withoutSpans(e),
          );
          found++;
        }
      }),
      { seed, numRuns: 300 },
    );
    expect(found).toBeGreaterThan(1000);
  });

  it.each([
    [
      'select  (a)+(b*c) from t where ((x = 1)) and (y or z)',
      'SELECT a + b * c FROM t WHERE x = 1 AND (y OR z)',
    ],
    [
      'SELECT (a - b) - c, a - (b - c), - -1, (-a)[1] FROM t',
      'SELECT a - b - c, a - (b - c), -(-1), (-a)[1] FROM t',
    ],
    ['SELECT a::int, b::array<int> FROM t', 'SELECT CAST(a AS int), CAST(b AS ARRAY<int>) FROM t'],
    ['select a b from "t" as x', 'SELECT a AS b FROM `t` AS x'],
    ['(SELECT 1) UNION ALL (SELECT 2 LIMIT 1)', 'SELECT 1 UNION ALL (SELECT 2 LIMIT 1)'],
    [
      'SELECT count(*) FROM t WINDOW TUMBLING (SIZE 120 SECONDS) GROUP BY (a) EMIT CHANGES',
      'SELECT count(*) FROM t WINDOW TUMBLING (SIZE 2 MINUTES) GROUP BY a EMIT CHANGES',
    ],
    ['SELECT * FROM a, b JOIN c USING (k)', 'SELECT * FROM a CROSS JOIN (b JOIN c USING (k))'],
    ['SELECT a != b FROM t FETCH FIRST 3 ROWS ONLY', 'SELECT a <> b FROM t LIMIT 3'],
  ])('is canonical: %s', (text, printed) => {
    expect(printStatement(parseOne(text))).toBe(printed);
  });

  it('keeps the comment when asked', () => {
    const text = '-- what is owed\n--\n-- per customer\nSELECT 1';
    expect(printStatement(parseOne(text), { comments: true })).toBe(text);
    expect(printStatement(parseOne(text))).toBe('SELECT 1');
  });
});
