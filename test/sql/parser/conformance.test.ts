import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../../src/core/errors.ts';
import { parseStatements } from '../../../src/sql/parse.ts';
import { printStatement } from '../../../src/sql/print.ts';
import { withoutSpans } from './random-tree.ts';

interface Case {
  readonly name: string;
  readonly statements: readonly string[];
  readonly expectedException?: { readonly type?: string; readonly message?: string };
}

const folder = process.env.MILLRACE_CONFORMANCE;
if (!folder)
  console.warn('SKIPPED: set MILLRACE_CONFORMANCE to parse the statements of the conformance cases');

describe.skipIf(!folder)('valid KSQL is never a syntax error', () => {
  const path = join(folder ?? '.', 'ksqldb');
  const files = folder ? readdirSync(path).filter(f => f.endsWith('.json')) : ['-'];

  it.each(files)('%s', file => {
    const { tests } = JSON.parse(readFileSync(join(path, file), 'utf8')) as { tests: readonly Case[] };
    expect(tests.length).toBeGreaterThan(0);
    for (const test of tests) {
      const { statements, errors } = parseStatements({ file: test.name, text: test.statements.join('\n') });
      const refusedByGrammar = /ParseFailed/.test(test.expectedException?.type ?? '');
      if (!refusedByGrammar) expect(errors.map(errorText)).toEqual([]);
      for (const statement of statements) {
        const text = printStatement(statement);
        const again = parseStatements({ file: 'printed', text });
        expect(withoutSpans({ ...again.statements[0], comment: statement.comment }), text).toBe(
          withoutSpans(statement),
        );
      }
    }
  });
});
