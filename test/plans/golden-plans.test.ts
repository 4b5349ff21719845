import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../src/core/errors.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { explain } from '../../src/plan/explain.ts';
import { planScript } from '../../src/plan/script.ts';
import { checkPlan } from './plan-checker.ts';

/**
 * Every `.sql` file here is planned over the sources of `prelude.sql`; the `.plan` file beside it holds the explained
 * plans. `refusals.txt` holds wrong statements with the whole text of their errors. Refresh both and read the difference:
 * `MILLRACE_REFRESH=1 vitest run test/plans/golden-plans.test.ts`
 */
const refresh = process.env.MILLRACE_REFRESH === '1';
const folder = new URL('.', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const prelude = read('prelude.sql');

function plan(file: string, text: string) {
  const sources = planScript({ file: 'prelude.sql', text: prelude }, options);
  expect(sources.errors.map(errorText)).toEqual([]);
  return planScript({ file, text }, { ...options, catalog: sources.catalog });
}

const options = { functions: standardLibrary, zone: 'Europe/Berlin' };

function golden(name: string, actual: string): void {
  const at = new URL(name, folder);
  if (refresh) writeFileSync(at, actual);
  expect(existsSync(at), `${name} is missing: run with MILLRACE_REFRESH=1`).toBe(true);
  expect(actual).toBe(read(name));
}

const files = readdirSync(folder)
  .filter(f => f.endsWith('.sql') && f !== 'prelude.sql')
  .sort();

describe('golden plans', () => {
  it('are of at least 25 queries', () => {
    expect(files.length).toBeGreaterThanOrEqual(25);
  });

  it.each(files)('%s', file => {
    const planned = plan(file, read(file));
    expect(planned.errors.map(errorText)).toEqual([]);
    if (planned.plan) checkPlan(planned.plan);
    golden(
      file.replace('.sql', '.plan'),
      (planned.plan?.views ?? []).map(v => explain(v, planned.plan?.views)).join('\n'),
    );
  });
});

/** Blocks of `== title`, the statements, `--`, the errors. */
function refusals(text: string): readonly { readonly title: string; readonly sql: string }[] {
  return text
    .split(/^== /m)
    .slice(1)
    .map(block => {
      const [title = '', ...rest] = block.split('\n');
      const end = rest.indexOf('--');
      return {
        title,
        sql: rest
          .slice(0, end < 0 ? undefined : end)
          .join('\n')
          .trim(),
      };
    });
}

describe('golden refusals', () => {
  const all = refusals(read('refusals.txt'));

  it('are of at least 40 wrong inputs, each refused', () => {
    expect(all.length).toBeGreaterThanOrEqual(40);
    expect(new Set(all.map(r => r.title)).size).toBe(all.length);
    for (const { title, sql } of all) {
      expect(plan('wrong.sql', sql).errors.length, title).toBeGreaterThan(0);
    }
  });

  it('say what is wrong, where, and what to write instead', () => {
    const actual = all.map(({ title, sql }) => {
      const { errors } = plan('wrong.sql', sql);
      return `== ${title}\n${sql}\n--\n${errors.map(errorText).join('\n')}\n`;
    });
    golden('refusals.txt', actual.join('\n'));
  });
});
