import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type CaseEngine, columnsEngine, foldEngine } from '../../src/cli/test/case-engine.ts';
import { type CaseResult, runKsqldbCases } from '../../src/cli/test/ksqldb-runner.ts';
import { totalsOf } from '../../src/cli/test/report.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { testFunctions } from './test-functions.ts';

/**
 * ksqlDB's own cases, where the machine has them: the folder that MILLRACE_CONFORMANCE names. The floor is what passed
 * when it was last raised: raise it, never lower it.
 */
const engines: readonly { readonly name: string; readonly engine: CaseEngine; readonly floor: number }[] = [
  { name: 'fold', engine: foldEngine, floor: 796 },
  { name: 'columns', engine: columnsEngine(createEngine), floor: 796 },
];

interface KnownDifference {
  readonly file: string;
  readonly name: string;
  readonly why: string;
}

const folder = process.env.MILLRACE_CONFORMANCE ?? '';
const cases = join(folder, 'ksqldb');
const present = folder !== '' && existsSync(cases);
if (!present)
  console.warn('SKIPPED: conformance cases; set MILLRACE_CONFORMANCE to the folder that holds ksqldb/');

const known = parse(
  readFileSync(new URL('./known-differences.yaml', import.meta.url), 'utf8'),
) as readonly KnownDifference[];

describe.runIf(present)("ksqlDB's query-validation cases", () => {
  describe.each(engines)('on the $name', ({ name, engine, floor }) => {
    const files = present
      ? readdirSync(cases)
          .filter(file => file.endsWith('.json'))
          .sort()
          .map(file => join(cases, file))
      : [];
    const results = [...runKsqldbCases(files, { engine, functions: standardLibrary.with(testFunctions) })];

    it(`at least ${floor} pass`, () => {
      const totals = totalsOf(results);
      console.log(tableOf(name, results));
      expect(totals.pass).toBeGreaterThanOrEqual(floor);
    });

    it('no case meets a bug', () => {
      expect(results.filter(r => r.reason.startsWith('bug:'))).toEqual([]);
    });

    it('what does not pass is known, and what is known does not pass', () => {
      const others = results.filter(r => r.status !== 'pass').map(r => `${r.status} ${r.file} ${r.name}`);
      expect(others.sort()).toEqual(known.map(({ file, name }) => `fail ${file} ${name}`).sort());
    });

    it('each known difference says why ours is the better behaviour', () => {
      for (const { file, name, why } of known) {
        expect((why ?? '').length, `${file}: ${name}`).toBeGreaterThan(60);
      }
    });
  });
});

/** Counts by status, and the errors and failures by reason. */
function tableOf(name: string, results: readonly CaseResult[]): string {
  const { total, pass, fail, error } = totalsOf(results);
  const reasons = Map.groupBy(
    results.filter(r => r.status !== 'pass'),
    r =>
      `${r.status} ${
        r.status === 'error'
          ? r.reason
              .split('\n', 1)[0]
              ?.replaceAll(/"[^"]*"/g, '"..."')
              .slice(0, 70)
          : r.file
      }`,
  );
  const lines = [...reasons]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([reason, list]) => `${String(list.length).padStart(5)}  ${reason}`);
  return [`${name}: ${total} cases, ${pass} pass, ${fail} fail, ${error} error`, ...lines].join('\n');
}
