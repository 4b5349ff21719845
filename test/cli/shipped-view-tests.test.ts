import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { columnsEngine, foldEngine } from '../../src/cli/test/case-engine.ts';
import { testPrelude } from '../../src/cli/test/sql-test-prelude.ts';
import { runSqlTests } from '../../src/cli/test/sql-test-runner.ts';
import { projectRoot } from '../../src/config.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { readViewFiles } from '../../src/deploy/discovery.ts';
import { standardLibrary } from '../../src/expr/library.ts';

const folder = join(projectRoot, 'views');

it.each([
  { name: 'fold', engine: foldEngine },
  { name: 'columns', engine: columnsEngine(createEngine) },
])('the tests beside the shipped views pass on $name', ({ engine }) => {
  const files = readViewFiles(folder, projectRoot);
  const options = { engine, functions: standardLibrary, zone: 'UTC' };
  const prelude = testPrelude({
    views: files.flatMap(({ name, file, text }) => (name === null ? [] : [{ name, source: { file, text } }])),
    sources: files.filter(file => file.name === null),
    ...options,
  });
  const tests = readdirSync(folder)
    .filter(name => name.endsWith('.test.sql'))
    .map(name => ({ file: name, text: readFileSync(join(folder, name), 'utf8') }));
  const results = [...runSqlTests(tests, { ...options, prelude })];
  expect(results.length).toBeGreaterThan(0);
  expect(results.filter(r => r.status !== 'pass')).toEqual([]);
});
