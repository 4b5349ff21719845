import type { Span } from '../core/span.ts';
import { sameType, typeText } from '../core/sql-type.ts';
import { listText, type Problems } from '../sql/analyse/problems.ts';
import { relationsRead } from '../sql/analyse/resolved-query.ts';
import { sourceRelation } from '../sql/analyse/source.ts';
import { isSystemColumn } from '../sql/analyse/system-columns.ts';
import { resolveType } from '../sql/analyse/type-name.ts';
import type { AlterSource, DropStatement } from '../sql/ast.ts';
import { type Catalog, canonical, canonicalName, type Relation } from '../sql/catalog.ts';
import type { Definition } from './definitions.ts';
import type { SourceColumn } from './plan.ts';

/** DROP: the canonical name to forget, or null when there is nothing to drop. */
export function dropRelation(
  statement: DropStatement,
  catalog: Catalog,
  definitions: ReadonlyMap<string, Definition>,
  problems: Problems,
): string | null {
  const relation = catalog.find(statement.name);
  const shown = statement.name.name;
  if (!relation) {
    if (statement.ifExists) return null;
    throw problems.error(
      'unknown_source',
      statement.name.span,
      `${statement.what} "${shown}" does not exist`,
      catalog.suggestion(statement.name),
    );
  }
  const kind = relation.statement === 'view' ? 'view' : relation.kind;
  if (kind !== statement.what) {
    throw problems.error(
      'invalid_statement',
      statement.name.span,
      `"${shown}" is a ${kind}`,
      `write DROP ${kind.toUpperCase()} ${shown}`,
    );
  }
  if (statement.deleteTopic && relation.readOnly) {
    throw problems.error(
      'invalid_statement',
      statement.span,
      `cannot delete the topic of the read-only ${kind} "${shown}"`,
      `leave DELETE TOPIC out: DROP ${kind.toUpperCase()} ${shown}`,
    );
  }
  const name = canonicalName(relation.name, relation.quoted);
  const readers = [...definitions.values()].filter(
    d =>
      d.relation !== relation &&
      d.queries.some(q => relationsRead(q).some(r => canonicalName(r.name, r.quoted) === name)),
  );
  if (readers.length > 0) {
    throw problems.error(
      'invalid_statement',
      statement.name.span,
      `cannot drop "${shown}": ${listText(readers.map(r => `"${r.relation.name}"`))} read${readers.length === 1 ? 's' : ''} it`,
      `drop ${listText(readers.map(r => `"${r.relation.name}"`))} first`,
    );
  }
  return name;
}

/** ALTER STREAM | TABLE name ADD COLUMN ... */
export function alterSource(statement: AlterSource, catalog: Catalog, problems: Problems): Relation {
  const relation = catalog.find(statement.name);
  const shown = statement.name.name;
  if (!relation) {
    throw problems.error(
      'unknown_source',
      statement.name.span,
      `${statement.what} "${shown}" does not exist`,
      catalog.suggestion(statement.name),
    );
  }
  const refuse = (message: string, hint?: string) =>
    problems.error('invalid_statement', statement.name.span, message, hint);
  if (relation.kind !== statement.what)
    throw refuse(`"${shown}" is a ${relation.kind}`, `write ALTER ${relation.kind.toUpperCase()} ${shown}`);
  if (relation.readOnly) {
    throw refuse(
      `cannot alter the read-only ${relation.kind} "${shown}"`,
      `declare it without SOURCE: CREATE ${relation.kind.toUpperCase()} ${shown}`,
    );
  }
  const { source } = relation;
  if (!source) throw refuse(`"${shown}" is made by a query: change the query with CREATE OR REPLACE`);
  const added: SourceColumn[] = statement.add.map(definition => {
    const name = definition.name.name;
    if (definition.constraint !== null) {
      throw problems.error('invalid_statement', definition.span, 'only value columns can be added');
    }
    if (isSystemColumn(canonical(definition.name))) {
      throw problems.error('invalid_statement', definition.name.span, `"${name}" is a reserved column name`);
    }
    if (source.columns.some(c => c.name.toUpperCase() === name.toUpperCase())) {
      throw problems.error(
        'duplicate_name',
        definition.name.span,
        `"${shown}" has a column "${name}" already`,
        'give the new column another name',
      );
    }
    return { name, type: resolveType(definition.type, catalog, problems), from: 'value', header: null };
  });
  return sourceRelation(
    { ...source, columns: [...source.columns, ...added] },
    { name: { name: relation.name, quoted: relation.quoted, span: statement.name.span }, readOnly: false },
    problems,
  );
}

/** CREATE OR REPLACE keeps what readers rely on: kind, key, and the columns that are there. */
export function checkReplace(
  existing: Relation | undefined,
  next: Relation,
  problems: Problems,
  span: Span,
): void {
  if (!existing) return;
  const refuse = (message: string) =>
    problems.error(
      'invalid_statement',
      span,
      `cannot replace "${existing.name}": ${message}`,
      'give the new one another name',
    );
  if (existing.readOnly) throw refuse(`it is a read-only ${existing.kind}`);
  if (existing.kind !== next.kind) throw refuse(`it is a ${existing.kind}, not a ${next.kind}`);
  if ((existing.statement === 'source') !== (next.statement === 'source')) {
    throw refuse(
      existing.statement === 'source' ? 'it is declared, not made by a query' : 'it is made by a query',
    );
  }
  if (existing.statement === 'view') return;
  const keyOf = (r: Relation) => r.schema.key.map(i => r.schema.columns[i]?.name.toUpperCase() ?? '').join();
  if (keyOf(existing) !== keyOf(next)) throw refuse('its key would change');
  for (const column of existing.schema.columns) {
    const found = next.schema.columns.find(c => c.name.toUpperCase() === column.name.toUpperCase());
    if (!found) throw refuse(`column "${column.name}" would be lost`);
    if (!sameType(found.type, column.type)) {
      throw refuse(
        `column "${column.name}" would change from ${typeText(column.type)} to ${typeText(found.type)}`,
      );
    }
  }
}
