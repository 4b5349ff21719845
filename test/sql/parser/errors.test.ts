import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../../src/core/errors.ts';
import { parseStatements } from '../../../src/sql/parse.ts';

/** Wrong texts and what the reader is told. `MILLRACE_REFRESH=1 vitest run test/sql/parser` writes the answers anew. */
interface Case {
  readonly name: string;
  readonly sql: readonly string[];
  readonly errors: readonly string[];
}

const FILE = new URL('errors.json', import.meta.url);
const cases = JSON.parse(readFileSync(FILE, 'utf8')) as Case[];

function answer(sql: readonly string[]): string[] {
  const { errors } = parseStatements({ file: 'q.sql', text: sql.join('\n') });
  return errors.flatMap(error => errorText(error).split('\n'));
}

if (process.env.MILLRACE_REFRESH === '1') {
  const refreshed = cases.map(({ name, sql }) => ({ name, sql, errors: answer(sql) }));
  writeFileSync(FILE, `[\n${refreshed.map(caseText).join(',\n')}\n]\n`);
}

/** laid out as the formatter does it */
function caseText({ name, sql, errors }: Case): string {
  const list = (key: string, lines: readonly string[], end: string) => {
    const items = lines.map(line => JSON.stringify(line));
    const flat = `    "${key}": [${items.join(', ')}]${end}`;
    return flat.length <= 110 ? flat : `    "${key}": [\n      ${items.join(',\n      ')}\n    ]${end}`;
  };
  return `  {\n    "name": ${JSON.stringify(name)},\n${list('sql', sql, ',')}\n${list('errors', errors, '')}\n  }`;
}

describe('what is said about wrong SQL', () => {
  const golden = JSON.parse(readFileSync(FILE, 'utf8')) as Case[];

  it('covers many mistakes, each with a place', () => {
    expect(golden.length).toBeGreaterThanOrEqual(30);
    for (const { name, errors } of golden) expect(errors[0], name).toMatch(/^q\.sql:\d+:\d+: /);
  });

  it.each(golden)('$name', ({ sql, errors }) => {
    expect(answer(sql)).toEqual(errors);
  });
});
