import { describe, expect, it } from 'vitest';
import { columnsEngine, foldEngine } from '../../src/cli/test/case-engine.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import type { CaseExpectation, SqlCase, SqlCaseFile } from './case-file.ts';
import { type CaseOutcome, type PreparedCase, runCut, runWhole } from './case-runner.ts';
import { randomCuts } from './random-cuts.ts';

const engine = columnsEngine(createEngine);
const SEEDS = [1, 2, 3];

/**
 * What SQL means, wherever the records come from: each case run in several ways, all equal to what its file says; in few
 * ways, where every one of them has been run on other logs.
 */
export function sqlCases(
  { file, about, cases }: SqlCaseFile,
  prepare: (test: SqlCase) => PreparedCase,
  ways: 'all' | 'few' = 'all',
): void {
  const answered = cases.filter(c => c.error === undefined);
  if (answered.length === 0) return;
  describe(`${file}: ${about}`, () => {
    it.each(answered)('fold: $name', test => {
      const prepared = prepare(test);
      expect(runWhole(prepared, foldEngine(prepared.options))).toEqual(expected(test));
    });

    it.each(answered)('engine, cut anywhere, stopped and restored: $name', test => {
      for (const seed of SEEDS) {
        const prepared = prepare(test);
        const cuts = randomCuts(seed, prepared.log.end());
        expectSameAtTheEnd(
          prepared,
          runCut(prepared, cuts, createEngine),
          test,
          `seed ${seed}, cuts ${cuts.join()}`,
        );
      }
    });

    if (ways === 'few') return;

    it.each(answered)('engine, record by record: $name', test => {
      const prepared = prepare(test);
      expect(runWhole(prepared, engine(prepared.options), 1)).toEqual(expected(test));
    });

    it.each(answered)('engine, whole: $name', test => {
      const prepared = prepare(test);
      expectSameAtTheEnd(prepared, runWhole(prepared, engine(prepared.options)), test);
    });
  });
}

function expected(test: SqlCase): Required<CaseExpectation> {
  if (test.expect === undefined) throw new Error(`${test.name}: a case expects something`);
  return { ledger: {}, ...test.expect };
}

/**
 * For any cut: rows and ledger equal, and what feeds a topic equal record by record; a view's changes may be merged
 * within an epoch.
 */
function expectSameAtTheEnd(prepared: PreparedCase, outcome: CaseOutcome, test: SqlCase, message = ''): void {
  const { rows, changes, ledger } = expected(test);
  expect(outcome.rows, message).toEqual(rows);
  expect(outcome.ledger, message).toEqual(ledger);
  for (const view of prepared.options.plan.views) {
    if (view.sink !== null) expect(outcome.changes[view.name], message).toEqual(changes[view.name]);
  }
}
