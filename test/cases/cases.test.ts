import { expect, it } from 'vitest';
import { MillraceErrors } from '../../src/core/errors.ts';
import { readCaseFiles, type SqlCase } from './case-file.ts';
import { prepareCase } from './case-runner.ts';
import { sqlCases } from './cases.contract.ts';

const files = readCaseFiles();

for (const file of files) sqlCases(file, test => prepareCase(test));

it.each(files.flatMap(({ cases }) => cases.filter(c => c.error !== undefined)))('refused: $name', test => {
  expect(refusalsOf(test)).toEqual([expect.objectContaining(test.error)]);
});

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
