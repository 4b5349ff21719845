import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../../src/core/errors.ts';
import { parseStatements } from '../../../src/sql/parse.ts';
import { KEYWORDS } from '../../../src/sql/parser/keywords.ts';
import { printStatement } from '../../../src/sql/print.ts';
import { statement } from './random-tree.ts';

function parse(text: string) {
  return parseStatements({ file: 'soup', text });
}

/** Every answer is whole: places inside the text, a readable text, no statement that overlaps the next. */
function check(text: string): void {
  const { statements, errors } = parse(text);
  for (const error of errors) {
    const { start, end } = error.place?.span ?? { start: -1, end: -1 };
    expect(start >= 0 && start <= end && end <= text.length, `${text}: ${error.message}`).toBe(true);
    expect(errorText(error)).toContain('soup:');
  }
  let last = 0;
  for (const { span } of statements) {
    expect(span.start >= last && span.end > span.start && span.end <= text.length, text).toBe(true);
    last = span.end;
  }
  if (statements.length === 0 && errors.length === 0)
    expect(text.replaceAll(/--.*|\/\*[\s\S]*?\*\/|[\s;\u00a0]/g, '')).toBe('');
}

describe('a parser for any text', () => {
  const seed = Number(process.env.MILLRACE_SEED ?? randomInt(2 ** 31));
  const words = [...KEYWORDS, 'a', 'b', 't', 'COUNT', 'x1', '1st'];
  const marks = [
    '(',
    ')',
    '[',
    ']',
    ',',
    ';',
    '.',
    '*',
    '->',
    '=>',
    ':=',
    '::',
    '||',
    '=',
    '<',
    '-',
    '+',
    '/',
    '%',
  ];
  const others = [
    "'x'",
    '`q`',
    '"q"',
    '1',
    '2.5',
    '1e3',
    `\${v}`,
    "'",
    '`',
    '"',
    '--',
    '/*',
    '*/',
    '\n',
    '!',
    'é',
    '#',
  ];
  const token = fc.oneof(fc.constantFrom(...words), fc.constantFrom(...marks), fc.constantFrom(...others));

  it(`answers random tokens (seed ${seed})`, () => {
    const soup = fc.array(token, { maxLength: 40, size: 'max' }).map(tokens => tokens.join(' '));
    fc.assert(fc.property(soup, check), { seed, numRuns: 3000 });
  });

  it(`answers damaged statements (seed ${seed})`, () => {
    const damaged = fc.tuple(statement, fc.nat(), fc.nat(8), token).map(([tree, place, length, insert]) => {
      const text = printStatement(tree);
      const at = place % (text.length + 1);
      return `${text.slice(0, at)}${insert}${text.slice(at + length)}; SELECT 1`;
    });
    fc.assert(fc.property(damaged, check), { seed, numRuns: 2000 });
  });

  it(`answers random characters (seed ${seed})`, () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), check), { seed, numRuns: 1000 });
  });

  const many = 100_000;
  it.each([
    ['opening parentheses', `SELECT ${'('.repeat(many)}`, 'limit_exceeded'],
    ['nested parentheses', `SELECT ${'('.repeat(many)}1${')'.repeat(many)}`, 'limit_exceeded'],
    ['nested subqueries', `SELECT * FROM ${'(SELECT * FROM '.repeat(many)}`, 'limit_exceeded'],
    ['nested calls', `SELECT ${'f(a, '.repeat(many)}`, 'limit_exceeded'],
    ['nested lambdas', `SELECT f(${'x => g('.repeat(many)}`, 'limit_exceeded'],
    ['nested types', `CREATE TYPE t AS ${'ARRAY<'.repeat(many)}`, 'limit_exceeded'],
    ['nested CASE', `SELECT ${'CASE WHEN '.repeat(many)}`, 'limit_exceeded'],
    ['nested EXPLAIN', `${'EXPLAIN '.repeat(many)}SELECT 1`, 'limit_exceeded'],
    ['NOT in a row', `SELECT ${'NOT '.repeat(many)}a`, 'limit_exceeded'],
    ['signs in a row', `SELECT ${'- '.repeat(many)}a`, 'limit_exceeded'],
    ['a long chain of operators', `SELECT 1${' + 1'.repeat(many)}`, 'limit_exceeded'],
    ['a long chain of fields', `SELECT a${'->b'.repeat(many)}`, 'limit_exceeded'],
    ['a long chain of joins', `SELECT * FROM a${' JOIN a ON a'.repeat(50_000)}`, 'limit_exceeded'],
    ['a long chain of unions', `SELECT 1${' UNION SELECT 1'.repeat(50_000)}`, 'limit_exceeded'],
    ['a text beyond the limit', ' '.repeat(2 ** 20 + 1), 'limit_exceeded'],
    ['opening quotes', `SELECT ${"'\n".repeat(many + 1)}`, 'syntax_error'],
    ['opening comments', '/* '.repeat(many), 'syntax_error'],
    ['wrong characters', '# ;'.repeat(many), 'syntax_error'],
    ['wrong items', `SELECT ${'a b c, '.repeat(many)}d`, 'syntax_error'],
    ['missing semicolons', 'CREATE\n'.repeat(many), 'syntax_error'],
    ['GROUP BY in parentheses', `SELECT 1 GROUP BY ${'('.repeat(many)}`, 'limit_exceeded'],
  ])('refuses %s', (_, text, code) => {
    const { errors } = parse(text);
    expect(errors.length).toBeLessThanOrEqual(100);
    expect(errors.map(e => e.code)).toContain(code);
  });

  it('reads long flat texts', () => {
    expect(parse(`SELECT ${'a, '.repeat(many)}a FROM t`).errors).toEqual([]);
    expect(parse(`SELECT a IN (${'1, '.repeat(many)}1) FROM t`).errors).toEqual([]);
    expect(parse('SELECT 1;'.repeat(many)).statements).toHaveLength(many);
  });
});
