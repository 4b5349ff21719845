import { describe, expect, it } from 'vitest';
import { columnsEngine, foldEngine } from '../../src/cli/test/case-engine.ts';
import { MillraceErrors } from '../../src/core/errors.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { type CaseExpectation, readCaseFiles, type SqlCase } from './case-file.ts';
import { type CaseOutcome, type PreparedCase, prepareCase, runCut, runWhole } from './case-runner.ts';
import { randomCuts } from './random-cuts.ts';

const engine = columnsEngine(createEngine);
const SEEDS = [1, 2, 3];

describe.each(readCaseFiles())('$file: $about', ({ cases }) => {
  const answered = cases.filter(c => c.error === undefined);

  it.each(answered)('fold: $name', test => {
    const prepared = prepareCase(test);
    expect(runWhole(prepared, foldEngine(prepared.options))).toEqual(expected(test));
  });

  it.each(answered)('engine, record by record: $name', test => {
    const prepared = prepareCase(test);
    expect(runWhole(prepared, engine(prepared.options), 1)).toEqual(expected(test));
  });

  it.each(answered)('engine, whole: $name', test => {
    const prepared = prepareCase(test);
    expectSameAtTheEnd(prepared, runWhole(prepared, engine(prepared.options)), test);
  });

  it.each(answered)('engine, cut anywhere, stopped and restored: $name', test => {
    for (const seed of SEEDS) {
      const prepared = prepareCase(test);
      const cuts = randomCuts(seed, prepared.log.end());
      expectSameAtTheEnd(
        prepared,
        runCut(prepared, cuts, createEngine),
        test,
        `seed ${seed}, cuts ${cuts.join()}`,
      );
    }
  });

  it.each(cases.filter(c => c.error !== undefined))('refused: $name', test => {
    expect(refusalsOf(test)).toEqual([expect.objectContaining(test.error)]);
  });
});

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

function refusalsOf(test: SqlCase): readonly { readonly code: string; readonly at: string | undefined }[] {
  try {
    prepareCase(test);
    return [];
  } catch (error) {
    if (!(error instanceof MillraceErrors)) throw error;
    return error.errors.map(({ code, place }) => ({
      code,
      at: place?.source.text.slice(place.span.start, place.span.end),
    }));
  }
}
