import type { Span } from '../../core/span.ts';
import type { SqlType } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Identifier, Query, Relation as RelationSyntax, Select } from '../ast.ts';
import type { Catalog, Relation } from '../catalog.ts';
import { FULL_SQL, type Problems } from './problems.ts';

/** FROM, with the constructs that this version does not run; they are reported when nothing else is wrong. */
export interface From {
  readonly relations: readonly FromRelation[];
  readonly joins: readonly Extract<RelationSyntax, { kind: 'join' }>[];
  readonly unsupported: readonly Unsupported[];
  /** everything named was found */
  readonly complete: boolean;
}

export interface FromRelation {
  readonly relation: Relation;
  readonly name: Identifier;
  readonly span: Span;
  /** a table function: its rows are made of each row of the relations before it */
  readonly lateral?: LateralCall | undefined;
}

/** A table function over the relations before it, in the numbering of a join's scope. */
export interface LateralCall {
  readonly fn: string;
  readonly args: readonly Expr[];
  readonly type: SqlType;
  /** the name of the column that numbers the rows; null: they are not numbered */
  readonly ordinality: string | null;
}

export type TableFunctionSyntax = Extract<RelationSyntax, { kind: 'tableFunction' }>;

interface Unsupported {
  readonly span: Span;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** A query in the place of a relation. */
export interface DerivedTable {
  readonly query: Query;
  readonly name: Identifier;
  /** names for its columns, as many as are given */
  readonly columns: readonly Identifier[];
}

export function resolveFrom(options: {
  readonly select: Select;
  readonly catalog: Catalog;
  readonly problems: Problems;
  /** absent: no subqueries */
  readonly derive?: ((table: DerivedTable) => Relation) | undefined;
  /** absent: no table functions */
  readonly lateral?:
    | ((call: TableFunctionSyntax, before: readonly FromRelation[]) => FromRelation)
    | undefined;
}): From {
  const { select, catalog, problems, derive, lateral } = options;
  const relations: FromRelation[] = [];
  const joins: Extract<RelationSyntax, { kind: 'join' }>[] = [];
  const unsupported: Unsupported[] = [];
  let complete = true;
  const walk = (from: RelationSyntax): void => {
    switch (from.kind) {
      case 'table': {
        const relation = catalog.find(from.name);
        if (relation) {
          relations.push({ relation, name: from.alias ?? from.name, span: from.name.span });
        } else {
          complete = false;
          problems.report(
            'unknown_source',
            from.name.span,
            `unknown stream, table or view "${from.name.name}"`,
            catalog.suggestion(from.name),
          );
        }
        return;
      }
      case 'join':
        walk(from.left);
        walk(from.right);
        joins.push(from);
        return;
      case 'subquery': {
        if (!derive) {
          complete = false;
          unsupported.push({ span: from.span, message: 'KSQL has no subqueries', hint: FULL_SQL });
          return;
        }
        const name = from.alias ?? { name: 'subquery', quoted: false, span: from.span };
        const relation = problems.attempt(() => derive({ query: from.query, name, columns: from.columns }));
        if (relation) relations.push({ relation, name, span: from.span });
        else complete = false;
        return;
      }
      case 'tableFunction': {
        if (!lateral) {
          complete = false;
          unsupported.push({
            span: from.span,
            message: 'KSQL has no table functions in FROM: they stand in the select list',
            hint: FULL_SQL,
          });
          return;
        }
        const relation = problems.attempt(() => lateral(from, relations));
        if (relation) relations.push(relation);
        else complete = false;
        return;
      }
    }
  };
  if (select.from) walk(select.from);
  else
    unsupported.push({
      span: select.span,
      message: 'queries without FROM are not supported by this version',
    });
  return { relations, joins, unsupported, complete: complete && select.from !== null };
}

export function reportUnsupported(unsupported: readonly Unsupported[], problems: Problems): void {
  for (const { span, message, hint } of unsupported.slice(0, 1)) {
    problems.report('not_supported', span, message, hint);
  }
}
