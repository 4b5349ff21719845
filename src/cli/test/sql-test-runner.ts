import { errorText, MillraceError, MillraceErrors } from '../../core/errors.ts';
import type { SourceText } from '../../core/span.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import { planScript, type ScriptPlan } from '../../plan/script.ts';
import type { CaseEngine } from './case-engine.ts';
import type { CaseResult } from './ksqldb-runner.ts';
import { type SqlTest, splitSqlTests } from './sql-test-file.ts';
import { AssertionFailure, SqlTestRun } from './sql-test-run.ts';

export interface SqlTestOptions {
  readonly engine: CaseEngine;
  readonly functions: FunctionRegistry;
  /** IANA zone */
  readonly zone: string;
  /** the project's sources and views, for tests that declare none themselves ({@link testPrelude}) */
  readonly prelude: string;
}

/** Runs the tests of SQL test files offline, one result per test in order. */
export function* runSqlTests(files: readonly SourceText[], options: SqlTestOptions): Generator<CaseResult> {
  for (const file of files) {
    const tests = splitSqlTests(file);
    if (tests.length === 0) {
      yield {
        file: file.file,
        name: '',
        status: 'error',
        reason: 'no test: write `--@test: name` before its statements',
      };
    }
    for (const test of tests) yield runSqlTest(test, options);
  }
}

function runSqlTest(test: SqlTest, options: SqlTestOptions): CaseResult {
  const result = (status: CaseResult['status'], reason: string): CaseResult => ({
    file: test.source.file,
    name: test.name,
    status,
    reason,
  });
  const expectsError = test.expectedError !== null || test.expectedMessage !== null;
  try {
    const script = planTest(test, options);
    if (script.plan === null) throw new MillraceErrors(script.errors);
    new SqlTestRun(script.plan, options, test.source).runSteps(script.steps);
    return expectsError ? result('fail', 'the statements were accepted') : result('pass', '');
  } catch (error) {
    if (error instanceof AssertionFailure) return result('fail', errorText(error.error));
    const refusals = refusalsOf(error);
    if (refusals === null)
      return result('error', `bug: ${error instanceof Error ? error.stack : String(error)}`);
    const text = refusals.map(errorText).join('\n');
    if (!expectsError) return result('error', text);
    return refusals.some(refusal => isExpected(test, refusal)) ? result('pass', '') : result('fail', text);
  }
}

function isExpected(test: SqlTest, refusal: MillraceError): boolean {
  return (
    (test.expectedError === null || test.expectedError === refusal.code) &&
    (test.expectedMessage === null || refusal.message.includes(test.expectedMessage))
  );
}

function refusalsOf(error: unknown): readonly MillraceError[] | null {
  if (error instanceof MillraceErrors) return error.errors;
  return error instanceof MillraceError ? [error] : null;
}

/** A test that declares streams, tables or views stands alone, any other on the project's. Places are in its file. */
function planTest(test: SqlTest, { functions, zone, prelude }: SqlTestOptions): ScriptPlan {
  const alone = /^\s*CREATE\s+(OR\s+REPLACE\s+)?(SOURCE\s+)?(STREAM|TABLE|VIEW)\b/im.test(test.source.text);
  const head = alone || prelude === '' ? '' : `${prelude}\n`;
  const whole: SourceText = { file: test.source.file, text: head + test.source.text };
  const script = planScript(whole, { functions, zone });
  const shift = head.length;
  return {
    ...script,
    errors: script.errors.map(error => shifted(error, test.source, shift)),
    steps: script.steps.map(step => ({
      ...step,
      span: { start: step.span.start - shift, end: step.span.end - shift },
    })),
  };
}

function shifted(error: MillraceError, source: SourceText, shift: number): MillraceError {
  const { place } = error;
  if (place === undefined || place.span.start < shift) return error;
  const span = { start: place.span.start - shift, end: place.span.end - shift };
  return new MillraceError(error.code, error.message, {
    ...error,
    place: { source, span },
    cause: error.cause,
  });
}
