import type { SourceText } from '../../core/span.ts';

/**
 * One test of a SQL test file: `--@test: name` begins it, and what stands before the first one is shared by all. The
 * text keeps the lines of the file (other tests blanked), so that errors point into it.
 */
export interface SqlTest {
  readonly name: string;
  readonly source: SourceText;
  /** `--@expected.error: code`: the statements must be refused with this code of the catalogue */
  readonly expectedError: string | null;
  /** `--@expected.message: text`: a part of the refusal's message */
  readonly expectedMessage: string | null;
}

const DIRECTIVE = /^\s*--@(test|expected\.error|expected\.message)\s*:?\s*(.*?)\s*$/;

export function splitSqlTests(file: SourceText): SqlTest[] {
  const lines = file.text.split('\n');
  const starts = lines.flatMap((line, i) => (DIRECTIVE.exec(line)?.[1] === 'test' ? [i] : []));
  const shared = starts[0] ?? lines.length;
  return starts.map((start, n) => {
    const end = starts[n + 1] ?? lines.length;
    const kept = lines.map((line, i) => (i < shared || (i >= start && i < end) ? line : ''));
    const directive = (name: string) =>
      lines
        .slice(start, end)
        .map(line => DIRECTIVE.exec(line))
        .find(match => match?.[1] === name)?.[2] ?? null;
    return {
      name: directive('test') ?? '',
      source: { file: file.file, text: kept.join('\n') },
      expectedError: directive('expected.error'),
      expectedMessage: directive('expected.message'),
    };
  });
}
