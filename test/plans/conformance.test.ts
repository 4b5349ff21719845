import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { errorText } from '../../src/core/errors.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { planScript } from '../../src/plan/script.ts';
import { testFunctions } from '../conformance/test-functions.ts';
import { checkPlan } from './plan-checker.ts';

/**
 * Plans every conformance case without running it: outputs in scope must plan, expected refusals must be refused for a
 * real reason. Skipped loudly where MILLRACE_CONFORMANCE does not name the folder of cases.
 */
const folder = process.env.MILLRACE_CONFORMANCE;
const verbose = process.env.MILLRACE_VERBOSE === '1';

interface Case {
  readonly name: string;
  readonly statements: readonly string[];
  readonly expectedException?: { readonly message?: string };
  readonly properties?: Readonly<Record<string, unknown>>;
}

const OUT_OF_SCOPE = /\bJOIN\b|\bSESSION\b/i;

it.skipIf(!folder || !existsSync(join(folder, 'ksqldb')))(
  'plans at least nine of ten conformance cases in scope (set MILLRACE_CONFORMANCE)',
  () => {
    const functions = standardLibrary.with(testFunctions);
    const at = join(folder ?? '', 'ksqldb');
    const counts = new Map<string, number>();
    const failures: string[] = [];
    let fine = 0;
    let total = 0;
    for (const file of readdirSync(at).sort()) {
      const { tests } = JSON.parse(readFileSync(join(at, file), 'utf8')) as { tests: readonly Case[] };
      for (const test of tests) {
        const text = test.statements.join('\n');
        if (OUT_OF_SCOPE.test(text)) continue;
        total++;
        const properties = Object.fromEntries(
          Object.entries(test.properties ?? {}).map(([k, v]) => [k, String(v)]),
        );
        const { plan, errors } = planScript(
          { file: `${file}/${test.name}`, text },
          { functions, zone: 'UTC', properties },
        );
        if (plan) checkPlan(plan);
        const expected = test.expectedException !== undefined;
        const [first] = errors;
        const refused = first !== undefined && first.code !== 'not_supported';
        if (expected ? refused : !first) {
          fine++;
          continue;
        }
        const reason = expected
          ? first
            ? `refusal expected, but: ${first.message}`
            : 'refusal expected, but it plans'
          : `[${first?.code}] ${first?.message}`;
        const short = reason.replace(/"[^"]*"/g, '"..."').slice(0, 90);
        counts.set(short, (counts.get(short) ?? 0) + 1);
        failures.push(
          `${file} | ${test.name} | ${expected ? test.expectedException?.message : ''}\n${first ? errorText(first) : text}`,
        );
      }
    }
    const table = [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([reason, n]) => `${String(n).padStart(4)}  ${reason}`);
    console.log(`${fine} of ${total} cases in scope plan as expected\n${table.join('\n')}`);
    if (verbose) console.log(failures.join('\n\n'));
    expect(fine / total).toBeGreaterThanOrEqual(0.9);
  },
);
