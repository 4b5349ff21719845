import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCaseFiles } from '../cases/case-file.ts';
import { Random } from '../oracle/generator/random.ts';
import { DECLARATIONS, Refusals, randomStatements } from '../oracle/scope/random-script.ts';
import { printStatement } from '../oracle/scope/statement.ts';

const root = join(import.meta.dirname, '../..');

/** Scripts that the planner takes: the views that ship, the cases, and random ones. What fuzzers begin with. */
export function validScripts(): readonly string[] {
  const sources = sqlFiles('views/sources').join('\n');
  const shipped = sqlFiles('views').map(text => `${sources}\n${text}`);
  const cases = readCaseFiles().flatMap(file => file.cases.map(c => c.statements.join('\n')));
  const refusals = new Refusals();
  const random = Array.from({ length: 60 }, (_, seed) => {
    const statements = randomStatements(new Random(seed), 'UTC', refusals);
    return `${DECLARATIONS}\n${statements.map(printStatement).join('\n')}`;
  });
  return [...shipped, ...cases, ...random];
}

function sqlFiles(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter(name => name.endsWith('.sql'))
    .map(name => readFileSync(join(root, folder, name), 'utf8'));
}
