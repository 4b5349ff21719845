import { MillraceError, MillraceErrors } from '../../core/errors.ts';
import type { CreateAs } from '../../sql/ast.ts';
import type { Catalog, Relation } from '../../sql/catalog.ts';
import { parseStatements } from '../../sql/parse.ts';
import { closest } from '../../sql/suggest.ts';
import type { OfflinePlan } from '../check.ts';
import { type Dialect, TITLES } from './dialect.ts';
import { Notes } from './notes.ts';
import { exportQuery } from './queries.ts';

export interface ExportedView {
  readonly name: string;
  readonly dialect: Dialect;
  readonly sql: string;
  /** what does not carry over, and what is expected of the tables that are read */
  readonly notes: readonly string[];
}

/** The query of a planned view as text of another dialect. */
export function exportView(planned: OfflinePlan, name: string, dialect: Dialect): ExportedView {
  const { catalog } = planned.result;
  const view = viewNamed(planned, name);
  const relation = catalog.find(view.name);
  const notes = new Notes();
  for (const read of relation?.reads ?? []) noteRead(catalog.get(read), dialect, notes);
  if (view.properties.length > 0) notes.add('WITH (...) is left out: the query writes no topic there');
  const hidden = new Set(relation?.hidden);
  const sql = exportQuery(view.query, {
    dialect,
    notes,
    strict: view.what !== 'view',
    columns: (relation?.schema.columns ?? []).filter((_, i) => !hidden.has(i)).map(c => c.name),
    integersOf: read => integersOf(catalog, read),
  });
  return { name: view.name.name, dialect, sql: `${sql};`, notes: notes.list() };
}

function noteRead(read: Relation | undefined, dialect: Dialect, notes: Notes): void {
  if (read === undefined) return;
  const { name } = read;
  if (read.statement !== 'source') notes.add(`it reads the view ${name}: export that one as well`);
  else if (read.kind === 'stream')
    notes.add(`${name} is a table of all records of the stream in ${TITLES[dialect]}`);
  else notes.add(`${name} is a table of the current row of each key in ${TITLES[dialect]}`);
}

function integersOf(catalog: Catalog, name: string): readonly string[] {
  const relation = catalog.get(name.toUpperCase()) ?? catalog.get(name);
  const whole = (relation?.schema.columns ?? []).filter(
    c => c.type.kind === 'INT' || c.type.kind === 'BIGINT',
  );
  return whole.map(c => c.name.toUpperCase());
}

/** The statement of the view; a SELECT is called as its file. */
function viewNamed({ files, result }: OfflinePlan, name: string): CreateAs {
  const isNamed = (other: string | null) => other?.toLowerCase() === name.toLowerCase();
  const planned = result.files.find(f => isNamed(f.name));
  if (planned && planned.errors.length > 0) throw new MillraceErrors(planned.errors);
  const file = files.find(f => isNamed(f.name));
  if (file?.name === undefined || file.name === null) {
    const near = closest(
      name,
      result.files.map(f => f.name),
    );
    throw new MillraceError('unknown_view', `there is no view "${name}"`, {
      hint: near === null ? undefined : `did you mean "${near}"?`,
    });
  }
  for (const statement of parseStatements({ file: file.file, text: file.text }).statements) {
    if (statement.kind === 'createAs') return statement;
    if (statement.kind !== 'select') continue;
    const { query, comment, span } = statement;
    const called = { name: file.name, quoted: false, span };
    const bare = { orReplace: false, ifNotExists: false, properties: [] };
    return { kind: 'createAs', what: 'view', name: called, ...bare, query, comment, span };
  }
  throw new MillraceError('unknown_view', `the file ${file.file} holds no view`);
}
