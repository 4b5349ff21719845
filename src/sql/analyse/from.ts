import type { Span } from '../../core/span.ts';
import type { Identifier, Query, Relation as RelationSyntax, Select } from '../ast.ts';
import type { Catalog, Relation } from '../catalog.ts';
import { FULL_SQL, type Problems } from './problems.ts';

/** FROM, with the constructs that this version does not run; they are reported when nothing else is wrong. */
export interface From {
  readonly relations: readonly {
    readonly relation: Relation;
    readonly name: Identifier;
    readonly span: Span;
  }[];
  readonly joins: readonly Extract<RelationSyntax, { kind: 'join' }>[];
  readonly unsupported: readonly Unsupported[];
  /** everything named was found */
  readonly complete: boolean;
}

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
}): From {
  const { select, catalog, problems, derive } = options;
  const relations: { relation: Relation; name: Identifier; span: Span }[] = [];
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
      case 'tableFunction':
        complete = false;
        unsupported.push({
          span: from.span,
          message: 'table functions in FROM are not supported by this version',
        });
        return;
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
