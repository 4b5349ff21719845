import type { Span } from '../../core/span.ts';
import type { Identifier, Relation as RelationSyntax, Select } from '../ast.ts';
import type { Catalog, Relation } from '../catalog.ts';
import type { Problems } from './problems.ts';

/** FROM, with the constructs that this version does not run; they are reported when nothing else is wrong. */
export interface From {
  readonly relations: readonly {
    readonly relation: Relation;
    readonly name: Identifier;
    readonly span: Span;
  }[];
  readonly joins: readonly Extract<RelationSyntax, { kind: 'join' }>[];
  readonly unsupported: readonly { readonly span: Span; readonly what: string }[];
  /** everything named was found */
  readonly complete: boolean;
}

export function resolveFrom(options: {
  readonly select: Select;
  readonly catalog: Catalog;
  readonly problems: Problems;
}): From {
  const { select, catalog, problems } = options;
  const relations: { relation: Relation; name: Identifier; span: Span }[] = [];
  const joins: Extract<RelationSyntax, { kind: 'join' }>[] = [];
  const unsupported: { span: Span; what: string }[] = [];
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
      case 'subquery':
        complete = false;
        unsupported.push({ span: from.span, what: 'subqueries' });
        return;
      case 'tableFunction':
        complete = false;
        unsupported.push({ span: from.span, what: 'table functions in FROM' });
        return;
    }
  };
  if (select.from) walk(select.from);
  else unsupported.push({ span: select.span, what: 'queries without FROM' });
  return { relations, joins, unsupported, complete: complete && select.from !== null };
}

export function reportUnsupported(
  unsupported: readonly { readonly span: Span; readonly what: string }[],
  problems: Problems,
): void {
  for (const { span, what } of unsupported.slice(0, 1)) {
    problems.report('not_supported', span, `${what} are not supported by this version`);
  }
}
