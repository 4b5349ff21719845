import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { loadModule } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import { MillraceErrors } from '../../../src/core/errors.ts';
import type { Expression } from '../../../src/sql/ast.ts';
import { parseExpressionText } from '../../../src/sql/parse.ts';
import { postgresForm } from './postgres-form.ts';

/** Our reading as a fully parenthesised text, or null when we refuse it. */
function ourForm(text: string): string | null {
  try {
    return form(parseExpressionText({ file: 'expression', text }));
  } catch (error) {
    if (error instanceof MillraceErrors) return null;
    throw error;
  }
}

function form(e: Expression): string {
  switch (e.kind) {
    case 'column':
      return e.name.name;
    case 'number':
      return e.text;
    case 'unary':
      return `(${e.op} ${form(e.arg)})`;
    case 'binary':
      return `(${form(e.left)} ${e.op} ${form(e.right)})`;
    case 'isNull':
      return `(${form(e.arg)} is ${e.negated ? 'not ' : ''}null)`;
    case 'isTruth':
      return `(${form(e.arg)} is ${e.negated ? 'not ' : ''}${e.truth})`;
    case 'between':
      return `(${form(e.arg)} ${e.negated ? 'not ' : ''}between ${form(e.low)} and ${form(e.high)})`;
    case 'like': {
      const by = e.escape ? ` escape ${form(e.escape)}` : '';
      return `(${form(e.arg)} ${e.negated ? 'not ' : ''}like ${form(e.pattern)}${by})`;
    }
    case 'in':
      if ('body' in e.list) break;
      return `(${form(e.arg)} ${e.negated ? 'not ' : ''}in ${e.list.map(form).join(', ')})`;
    case 'call':
      return `${e.name.name}(${e.args.map(form).join(', ')})`;
    case 'cast':
      return `cast(${form(e.arg)})`;
    case 'subscript':
      return `${form(e.arg)}[${form(e.index)}]`;
    case 'case':
      return `case ${e.whens.map(w => `when ${form(w.when)} then ${form(w.then)}`).join(' ')} end`;
    default:
  }
  throw new Error(`unexpected ${e.kind}`);
}

/** Random texts: operands and operators in a row, some of it in parentheses. */
const flat = fc.letrec<{ flat: string; operand: string; step: string }>(tie => {
  const column = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const sum = fc
    .array(column, { minLength: 1, maxLength: 2 })
    .chain(cs => fc.constantFrom('+', '*', '||').map(op => cs.join(` ${op} `)));
  const negation = fc.constantFrom('', 'NOT ');
  const infix = fc.constantFrom(
    ...['OR', 'AND', '=', '<>', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', '||', 'AT TIME ZONE'],
    ...['IS DISTINCT FROM', 'IS NOT DISTINCT FROM', 'LIKE', 'NOT LIKE'],
  );
  const operand = fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 8, arbitrary: column },
    {
      weight: 2,
      arbitrary: fc.constantFrom('-', '+', 'NOT ').chain(op => tie('operand').map(o => `${op} ${o}`)),
    },
    { weight: 1, arbitrary: column.map(c => `${c}::int`) },
    { weight: 1, arbitrary: fc.tuple(column, tie('flat')).map(([c, i]) => `${c}[${i}]`) },
    { weight: 1, arbitrary: tie('flat').map(f => `(${f})`) },
    { weight: 1, arbitrary: fc.array(tie('flat'), { maxLength: 2 }).map(args => `f(${args.join(', ')})`) },
    {
      weight: 1,
      arbitrary: fc.tuple(tie('flat'), tie('flat')).map(([w, t]) => `CASE WHEN ${w} THEN ${t} END`),
    },
  );
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(infix, tie('operand')).map(([op, o]) => `${op} ${o}`) },
    { weight: 1, arbitrary: fc.constantFrom('IS NULL', 'IS NOT NULL', 'IS TRUE', 'IS NOT FALSE') },
    { weight: 1, arbitrary: fc.tuple(negation, tie('flat')).map(([not, f]) => `${not}IN (${f}, a)`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(negation, sum, tie('operand'))
        .map(([not, low, high]) => `${not}BETWEEN ${low} AND ${high}`),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(negation, sum, column).map(([not, p, by]) => `${not}LIKE ${p} ESCAPE ${by}`),
    },
  );
  return {
    operand,
    step,
    flat: fc
      .tuple(tie('operand'), fc.array(tie('step'), { maxLength: 5, depthIdentifier: 'flat', size: 'small' }))
      .map(([head, steps]) => [head, ...steps].join(' ')),
  };
}).flat;

beforeAll(async () => {
  await loadModule();
});

describe('precedence of operators', () => {
  const seed = Number(process.env.MILLRACE_SEED ?? randomInt(2 ** 31));

  it(`is PostgreSQL's, and what it refuses we refuse (seed ${seed})`, () => {
    let read = 0;
    fc.assert(
      fc.property(flat, text => {
        const theirs = postgresForm(text);
        if (theirs !== null) read++;
        expect(ourForm(text), text).toBe(theirs);
      }),
      { seed, numRuns: 3000 },
    );
    expect(read, 'texts that PostgreSQL accepts').toBeGreaterThan(1000);
  });

  it.each([
    // PostgreSQL's low bound may hold a comparison; ksqlDB's may not, and so ours
    ['a BETWEEN b = c AND d', null, '(a between (b = c) and d)'],
    // a NOT may begin our low bound, as it may begin any operand
    ['a BETWEEN NOT b AND c', '(a between (not b) and c)', null],
    // any value may be indexed; PostgreSQL wants parentheses around a call
    ['f(a)[1]', 'f(a)[1]', null],
  ])('differs on purpose: %s', (text, ours, theirs) => {
    expect(postgresForm(text)).toBe(theirs);
    expect(ourForm(text)).toBe(ours);
  });

  it.each([
    ['a OR b AND c', '(a or (b and c))'],
    ['NOT a = b AND c', '((not (a = b)) and c)'],
    ['a = b IS NULL', '((a = b) is null)'],
    ['a + b || c * d', '((a + b) || (c * d))'],
    ['- a AT TIME ZONE b', '((- a) at time zone b)'],
    ['a < b BETWEEN c AND d', '(a < (b between c and d))'],
  ])('reads %s as %s', (text, expected) => {
    expect(ourForm(text)).toBe(expected);
  });
});
