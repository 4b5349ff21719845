import { describe, expect, it } from 'vitest';
import { type CaseEngine, foldEngine } from '../../src/cli/test/case-engine.ts';
import { MillraceErrors } from '../../src/core/errors.ts';
import { readCaseFiles } from './case-file.ts';
import { prepareCase, runWhole } from './case-runner.ts';

const engines: readonly { readonly name: string; readonly engine: CaseEngine }[] = [
  { name: 'fold', engine: foldEngine },
];

describe.each(readCaseFiles())('$file: $about', ({ cases }) => {
  it.each(cases.filter(c => c.error === undefined))('$name', test => {
    for (const { name, engine } of engines) {
      const prepared = prepareCase(test);
      expect(test.expect, 'a case expects something').toBeDefined();
      expect(runWhole(prepared, engine(prepared.options)), name).toEqual({ ledger: {}, ...test.expect });
    }
  });

  it.each(cases.filter(c => c.error !== undefined))('$name', test => {
    let refusals: { readonly code: string; readonly at: string | undefined }[] = [];
    try {
      prepareCase(test);
    } catch (error) {
      if (!(error instanceof MillraceErrors)) throw error;
      refusals = error.errors.map(({ code, place }) => ({
        code,
        at: place?.source.text.slice(place.span.start, place.span.end),
      }));
    }
    expect(refusals.length).toBeGreaterThan(0);
    for (const refusal of refusals) expect(refusal).toMatchObject(test.error ?? {});
  });
});
