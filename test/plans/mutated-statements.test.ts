import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MillraceError } from '../../src/core/errors.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { explain } from '../../src/plan/explain.ts';
import { planScript } from '../../src/plan/script.ts';
import { checkPlan } from './plan-checker.ts';

/**
 * Whatever a user types, the answer is a plan or located errors, never a bug of ours: the golden statements with words
 * taken out, doubled, exchanged and moved between files.
 */
const folder = new URL('.', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const options = { functions: standardLibrary, zone: 'UTC' };
const { catalog } = planScript({ file: 'prelude.sql', text: read('prelude.sql') }, options);
const statements = readdirSync(folder)
  .filter(f => f.endsWith('.sql') && f !== 'prelude.sql')
  .flatMap(f => read(f).split(/(?<=;)\s*\n/))
  .filter(s => s.trim() !== '');
const words = statements.flatMap(s => s.split(/\b|(?=[^\w\s])/)).filter(w => w.trim() !== '');

const mutation = fc.tuple(
  fc.constantFrom('drop', 'double', 'replace', 'swap'),
  fc.nat(200),
  fc.nat(200),
  fc.constantFrom(...new Set(words)),
);

function mutate(text: string, mutations: readonly (readonly [string, number, number, string])[]): string {
  const parts = text.split(/\b|(?=[^\w\s])/);
  for (const [kind, i, j, word] of mutations) {
    const at = i % parts.length;
    if (kind === 'drop') parts.splice(at, 1);
    else if (kind === 'double') parts.splice(at, 0, ' ', parts[at] ?? '', ' ');
    else if (kind === 'replace') parts[at] = word;
    else {
      const other = j % parts.length;
      [parts[at], parts[other]] = [parts[other] ?? '', parts[at] ?? ''];
    }
    if (parts.length === 0) parts.push(word);
  }
  return parts.join('');
}

const seed = Number(process.env.MILLRACE_SEED ?? 20_261_124);

it(`mutated statements give a plan or located errors (seed ${seed})`, () => {
  let planned = 0;
  let refused = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...statements),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      (text, by) => {
        const mutated = mutate(text, by);
        const { plan, errors } = planScript({ file: 'mutated.sql', text: mutated }, { ...options, catalog });
        if (plan) {
          planned++;
          checkPlan(plan);
          for (const view of plan.views) expect(explain(view, plan.views)).toContain('plan\n');
        } else refused++;
        for (const error of errors) {
          expect(error).toBeInstanceOf(MillraceError);
          const { start, end } = error.place?.span ?? { start: -1, end: -1 };
          expect(start, error.message).toBeGreaterThanOrEqual(0);
          expect(end, error.message).toBeGreaterThanOrEqual(start);
          expect(end, error.message).toBeLessThanOrEqual(mutated.length);
        }
      },
    ),
    { seed, numRuns: Number(process.env.MILLRACE_RUNS ?? 3000) },
  );
  expect(planned).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
});
