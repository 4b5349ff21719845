import type { Expr } from '../../expr/expr.ts';
import type { JoinType } from '../../plan/plan.ts';
import type { Identifier, Relation as RelationSyntax } from '../ast.ts';
import { allOf } from './expr-tree.ts';
import { compare } from './operators.ts';
import type { SelectContext } from './query-context.ts';
import { findColumns, type ScopeColumn } from './scope.ts';

type Join = Extract<RelationSyntax, { kind: 'join' }>;

export interface UsedColumns {
  /** null: both sides have no column in common */
  readonly on: Expr | null;
  /** to be called when the join is made: the columns are one from then on */
  merge(type: JoinType): void;
}

/**
 * USING and NATURAL: equal columns of both sides become one. It has the value of the side that always has a row; of a full
 * join that of either.
 */
export function usedColumns(
  join: Join,
  sides: { readonly left: readonly number[]; readonly right: readonly number[] },
  context: SelectContext,
): UsedColumns {
  const { problems, scope } = context;
  const of = (relations: readonly number[]) =>
    scope.columns.filter(
      c => !c.qualifiedOnly && c.listed && (c.merged ?? [c.relation]).every(at => relations.includes(at)),
    );
  const [lefts, rights] = [of(sides.left), of(sides.right)];
  const column = (columns: readonly ScopeColumn[], name: Identifier, side: string): ScopeColumn => {
    const [found, second] = findColumns(columns, name);
    if (found && !second) return found;
    throw problems.error(
      found ? 'ambiguous_column' : 'unknown_column',
      name.span,
      found
        ? `several relations on the ${side} of the join have a column "${name.name}"`
        : `the ${side} side of the join has no column "${name.name}"`,
      'write ON left.column = right.column',
    );
  };
  const names = join.natural ? common(lefts, rights, join) : join.using;
  const resolver = context.resolver({ clause: 'USING' });
  const pairs = names.map(name => {
    const [left, right] = [column(lefts, name, 'left'), column(rights, name, 'right')];
    const { span } = name;
    const equal = compare(resolver, { op: '=', left: left.expr, right: right.expr, span, opSpan: span });
    return { left, right, equal };
  });
  return {
    on: allOf(pairs.map(pair => pair.equal)),
    merge(type) {
      context.mergeColumns(
        pairs.map(({ left, right, equal }) => {
          const [l, r] = equal.node === 'compare' ? [equal.left, equal.right] : [left.expr, right.expr];
          const either: Expr = { node: 'call', type: l.type, fn: 'COALESCE', args: [l, r], site: 0 };
          const expr = type === 'full' ? either : type === 'right' ? r : l;
          const merged = [left, right].flatMap(c => c.merged ?? [c.relation]);
          return { column: { name: left.name, expr, relation: -1, listed: true, merged }, of: [left, right] };
        }),
      );
    },
  };
}

/** The columns that both sides have, in the order of the left one. */
function common(lefts: readonly ScopeColumn[], rights: readonly ScopeColumn[], { span }: Join): Identifier[] {
  const names = new Set(rights.map(c => c.name.toUpperCase()));
  return lefts.filter(c => names.has(c.name.toUpperCase())).map(c => ({ name: c.name, quoted: false, span }));
}
