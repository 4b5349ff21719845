import type { Column } from '../../core/schema.ts';
import { BIGINT, INT, type SqlType } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Identifier } from '../ast.ts';
import { canonical, type Relation } from '../catalog.ts';
import { closest } from '../suggest.ts';
import { OUTER_BASE, renumber } from './expr-tree.ts';
import { listText, type Problems } from './problems.ts';
import { isPseudoColumn, isSystemColumn } from './system-columns.ts';

/** A column that an expression may name. */
export interface ScopeColumn {
  readonly name: string;
  readonly expr: Expr;
  /** position of its relation in FROM */
  readonly relation: number;
  /** part of `*` */
  readonly listed: boolean;
  /** USING has merged it with another one: it is reached with its relation's name only */
  readonly qualifiedOnly?: true | undefined;
  /** of a column that USING has merged: the relations that it is of */
  readonly merged?: readonly number[] | undefined;
}

/** One relation of FROM. */
export interface ScopeRelation {
  readonly relation: Relation;
  /** the alias, or the relation's own name */
  readonly name: Identifier;
  /** position of its first column in the input row */
  readonly offset: number;
}

/** The names that a query's expressions see: the columns of FROM, and the pseudo columns. */
export interface Scope {
  readonly relations: readonly ScopeRelation[];
  readonly columns: readonly ScopeColumn[];
  /** of a subquery: the names of the query around it */
  readonly outer?: Scope | undefined;
}

/** The columns that stand behind those of a relation in a joined row. */
export const BEHIND_COLUMNS: readonly Column[] = [
  { name: 'ROWPARTITION', type: INT },
  { name: 'ROWOFFSET', type: BIGINT },
  { name: 'ROWTIME', type: BIGINT },
];

/**
 * Positions in the input row: the relation's columns, then ROWPARTITION and ROWOFFSET. In a join each relation has its own
 * ROWTIME behind these, and ROWTIME alone is that of the joined row. `wide`: as in a join, though it may be one relation.
 */
export function scopeOf(
  relations: readonly { relation: Relation; name: Identifier }[],
  wide = relations.length > 1,
): Scope {
  const columns: ScopeColumn[] = [];
  const scoped: ScopeRelation[] = [];
  const joined = wide;
  const rowtime: Expr = { node: 'rowtime', type: BIGINT };
  if (relations.length > 1) columns.push({ name: 'ROWTIME', expr: rowtime, relation: -1, listed: false });
  let offset = 0;
  relations.forEach(({ relation, name }, at) => {
    const { schema } = relation;
    scoped.push({ relation, name, offset });
    const add = (columnName: string, type: SqlType, index: number, listed: boolean) => {
      const expr: Expr = { node: 'column', type, index: offset + index, name: columnName };
      columns.push({ name: columnName, expr, relation: at, listed });
    };
    schema.columns.forEach((column, i) => {
      if (!relation.hidden.includes(i)) add(column.name, column.type, i, !isWindowKey(relation, i));
    });
    if (!joined) columns.push({ name: 'ROWTIME', expr: rowtime, relation: at, listed: false });
    BEHIND_COLUMNS.slice(0, joined ? 3 : 2).forEach(({ name: behind, type }, i) => {
      // rows of a subquery stand in no topic
      if (i < 2 && relation.derived) return;
      add(behind, type, schema.columns.length + i, false);
    });
    offset += schema.columns.length + BEHIND_COLUMNS.length;
  });
  return { relations: scoped, columns };
}

/** WINDOWSTART and WINDOWEND of a windowed relation are part of its key, but not of strict `*`. */
function isWindowKey(relation: Relation, index: number): boolean {
  return relation.schema.windowed && relation.schema.key.slice(-2).includes(index);
}

/** Case of an unquoted name does not count; where two columns differ by case only, the upper-case one is meant. */
export function findColumns<T extends { readonly name: string }>(
  columns: readonly T[],
  identifier: Identifier,
): readonly T[] {
  const exact = columns.filter(c => c.name === identifier.name);
  const folded = columns.filter(c => c.name.toUpperCase() === identifier.name.toUpperCase());
  if (identifier.quoted) {
    if (exact.length > 0) return exact;
    return identifier.name === identifier.name.toUpperCase() ? folded : [];
  }
  if (folded.length < 2 || new Set(folded.map(c => c.name)).size < 2) return folded;
  const upper = folded.filter(c => c.name === identifier.name.toUpperCase());
  return upper.length > 0 ? upper : exact.length > 0 ? exact : folded;
}

export function qualifies(qualifier: Identifier, relation: ScopeRelation): boolean {
  return canonical(qualifier) === canonical(relation.name) || qualifier.name === relation.name.name;
}

export function lookup(
  scope: Scope,
  qualifier: Identifier | null,
  name: Identifier,
  problems: Problems,
): ScopeColumn {
  let columns = scope.columns;
  if (qualifier) {
    const at = scope.relations.findIndex(r => qualifies(qualifier, r));
    if (at < 0)
      return outerColumn(scope, qualifier, name, problems) ?? refuseQualifier(scope, qualifier, problems);
    columns = columns.filter(c => c.relation === at);
  } else columns = columns.filter(c => !c.qualifiedOnly);
  const found = findColumns(columns, name);
  const [first, second] = found;
  if (!first) {
    const outer = qualifier ? null : outerColumn(scope, qualifier, name, problems);
    if (outer) return outer;
    throw unknownColumn(columns, qualifier, name, problems);
  }
  if (second && !isPseudoColumn(first.name)) {
    const places = found.map(c => `${scope.relations[c.relation]?.name.name}.${c.name}`);
    throw problems.error(
      'ambiguous_column',
      name.span,
      `column "${name.name}" is ambiguous: ${listText(places)}`,
      `write ${places[0]}`,
    );
  }
  return first;
}

/** Whether a value of the scope can be known not to be NULL: a literal, or the key of a table. */
export function isNeverNull(expr: Expr, { relations }: Scope): boolean {
  if (expr.node === 'literal') return expr.value !== null;
  if (expr.node !== 'column') return false;
  // beside another relation it may be the NULL of an outer join
  const of = relations.length === 1 ? relations[0] : undefined;
  if (of?.relation.source?.kind !== 'table') return false;
  const { key } = of.relation.schema;
  return key.length === 1 && key[0] === expr.index - of.offset;
}

/** A column of the query around a subquery, or null. */
function outerColumn(
  { outer }: Scope,
  qualifier: Identifier | null,
  name: Identifier,
  problems: Problems,
): ScopeColumn | null {
  if (!outer) return null;
  const known = qualifier ? outer.relations.some(r => qualifies(qualifier, r)) : true;
  const fitting = known ? findColumns(outer.columns, name) : [];
  if (!known || (!qualifier && fitting.length === 0)) {
    if (outerColumn(outer, qualifier, name, problems) === null) return null;
    throw problems.error(
      'invalid_statement',
      name.span,
      `"${qualifier ? `${qualifier.name}.` : ''}${name.name}" belongs to a query two levels up`,
      'a subquery sees the query around it: select the column there, in a subquery in FROM',
    );
  }
  const column = lookup({ ...outer, outer: undefined }, qualifier, name, problems);
  return { ...column, expr: renumber(column.expr, i => OUTER_BASE + i), relation: -1 };
}

function refuseQualifier(scope: Scope, qualifier: Identifier, problems: Problems): never {
  throw unknownQualifier(scope, qualifier, problems);
}

export function unknownQualifier(scope: Scope, qualifier: Identifier, problems: Problems) {
  const names = scope.relations.map(r => r.name.name);
  const near = closest(qualifier.name, names);
  return problems.error(
    'unknown_source',
    qualifier.span,
    `"${qualifier.name}" is not a relation of this query`,
    near === null
      ? names.length > 0
        ? `the query reads ${listText(names)}`
        : undefined
      : `did you mean "${near}"?`,
  );
}

function unknownColumn(
  columns: readonly ScopeColumn[],
  qualifier: Identifier | null,
  name: Identifier,
  problems: Problems,
) {
  const shown = qualifier ? `${qualifier.name}.${name.name}` : name.name;
  if (isSystemColumn(canonical(name)) && !name.quoted) {
    return problems.error(
      'unknown_column',
      name.span,
      `column ${name.name.toUpperCase()} exists only where rows have windows`,
    );
  }
  const sameName = columns.find(c => c.name.toUpperCase() === name.name.toUpperCase());
  const near = sameName?.name ?? closest(name.name, [...new Set(columns.map(c => c.name))]);
  return problems.error(
    'unknown_column',
    name.span,
    `unknown column "${shown}"`,
    near === null ? undefined : `did you mean "${near}"?`,
  );
}
