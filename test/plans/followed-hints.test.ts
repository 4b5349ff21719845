import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorText, type MillraceError } from '../../src/core/errors.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { planScript } from '../../src/plan/script.ts';

/**
 * Hints work when they are followed: each "did you mean" of `refusals.txt` put in the place of what stands there, and each
 * "write CREATE VIEW" done. The error that gave the hint is gone then, and no other has come in its place.
 */
const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');
const options = { functions: standardLibrary, zone: 'Europe/Berlin' };
const { catalog } = planScript({ file: 'prelude.sql', text: read('prelude.sql') }, options);
const errorsOf = (text: string) => planScript({ file: 'wrong.sql', text }, { ...options, catalog }).errors;

const cases = read('refusals.txt')
  .split(/^== /m)
  .slice(1)
  .map(block => {
    const [title = '', ...rest] = block.split('\n');
    return { title, sql: rest.slice(0, rest.indexOf('--')).join('\n').trim() };
  });

/** What the golden refusals become when somebody does as the hints say. */
const byHand = read('followed-hints.txt')
  .split(/^== /m)
  .slice(1)
  .map(block => ({
    title: block.slice(0, block.indexOf('\n')),
    sql: block.slice(block.indexOf('\n') + 1).trim(),
  }));

interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What the hint of an error says to write, and where; null for a hint that leaves something to decide. */
function change({ hint, place }: MillraceError, sql: string): Change | null {
  if (hint === undefined || place === undefined) return null;
  const { start, end } = place.span;
  const [, quoted, plain] = /^did you mean (?:"([^"]+)"|([^"?]+))\?/.exec(hint) ?? [];
  if (plain !== undefined) return { start, end, text: plain };
  if (quoted !== undefined) {
    // what stands in front of it, as in o.amount, is not meant
    const exact = hint.includes('write it in double quotes');
    return { start, end, text: exact ? `"${quoted}"` : quoted };
  }
  if (!hint.includes('write CREATE VIEW to use full SQL')) return null;
  const from = sql.lastIndexOf('CREATE ', start);
  const head = /^CREATE (?:STREAM|TABLE)( \w+)(?: WITH \([^)]*\))?/.exec(sql.slice(from));
  return head && { start: from, end: from + head[0].length, text: `CREATE VIEW${head[1]}` };
}

function followed(sql: string, errors: readonly MillraceError[]): string {
  const changes = errors.flatMap(e => change(e, sql) ?? []).sort((a, b) => b.start - a.start);
  let text = sql;
  let last = Number.POSITIVE_INFINITY;
  for (const { start, end, text: by } of changes) {
    if (start < last) text = text.slice(0, start) + by + text.slice(end);
    last = start;
  }
  return text;
}

const withRewrite = cases
  .map(({ title, sql }) => ({ title, sql, errors: errorsOf(sql) }))
  .filter(({ sql, errors }) => errors.some(e => change(e, sql) !== null));

describe('hints that say what to write', () => {
  it('are those of many refusals', () => {
    expect(cases.length).toBeGreaterThanOrEqual(60);
    expect(withRewrite.length).toBeGreaterThanOrEqual(25);
  });

  it.each(withRewrite)('$title', ({ sql, errors }) => {
    const others = errors.filter(e => change(e, sql) === null).map(e => e.message);
    const after = errorsOf(followed(sql, errors));
    const come = after.filter(e => !others.includes(e.message));
    // a statement in whose syntax something was wrong is looked at only now
    const looked = errors.some(e => e.code === 'syntax_error' || e.code === 'invalid_property');
    if (!looked) expect(come.map(errorText), followed(sql, errors)).toEqual([]);
    const gone = errors.filter(e => change(e, sql) !== null).map(e => e.message);
    expect(after.map(e => e.message).filter(m => gone.includes(m))).toEqual([]);
  });

  it('are followed in followed-hints.txt, where a reader decides what exactly to write', () => {
    const decided = (e: MillraceError, sql: string) => e.hint !== undefined && change(e, sql) === null;
    const titles = cases.filter(c => errorsOf(c.sql).some(e => decided(e, c.sql))).map(c => c.title);
    expect(byHand.map(c => c.title)).toEqual(titles);
  });

  it.each(byHand)('by hand: $title', ({ title, sql }) => {
    const refused = new Set(cases.find(c => c.title === title)?.sql.split('\n'));
    expect(sql.split('\n').filter(line => line.startsWith('CREATE VIEW') && refused.has(line))).toEqual([]);
    expect(errorsOf(sql).map(errorText)).toEqual([]);
  });

  it('is there for nearly every refusal of the golden ones', () => {
    const all = cases.flatMap(c => errorsOf(c.sql));
    const without = all.filter(e => e.hint === undefined).map(e => e.message);
    expect(without.length, without.join('\n')).toBeLessThan(all.length / 20);
    expect(all.filter(e => e.place === undefined)).toEqual([]);
  });
});
