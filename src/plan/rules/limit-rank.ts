import type { Expr } from '../../expr/expr.ts';
import { allOf, conjuncts } from '../../sql/analyse/expr-tree.ts';
import type { FilterNode, PlanNode, RankNode } from '../plan.ts';
import { inputsOf, withInputs } from '../properties.ts';

/**
 * Rows whose number is compared with a constant: ROW_NUMBER() OVER (...) <= 3 is a limit of the order itself, so that rows
 * beyond it are neither numbered nor, where rows never go, kept.
 */
export function limitRank(node: PlanNode): PlanNode {
  const below = withInputs(node, inputsOf(node).map(limitRank));
  if (below.node !== 'filter' || below.input.node !== 'rank' || !below.input.numbered) return below;
  return limited(below, below.input);
}

function limited(filter: FilterNode, rank: RankNode): PlanNode {
  const number = rank.schema.columns.length - 1;
  let to = rank.to ?? Number.POSITIVE_INFINITY;
  const rest: Expr[] = [];
  for (const part of conjuncts(filter.predicate)) {
    const most = mostOf(part, number);
    if (most === null) rest.push(part);
    else {
      to = Math.min(to, most.number);
      if (!most.exact) rest.push(part);
    }
  }
  if (to === Number.POSITIVE_INFINITY || to === rank.to) return filter;
  const input: RankNode = { ...rank, to };
  const predicate = allOf(rest);
  return predicate === null ? input : { ...filter, input, predicate };
}

/** The largest number that a condition admits; `exact`: it says nothing else. */
function mostOf(part: Expr, number: number): { readonly number: number; readonly exact: boolean } | null {
  if (part.node !== 'compare' || part.left.node !== 'column' || part.left.index !== number) return null;
  if (part.right.node !== 'literal' || typeof part.right.value !== 'bigint') return null;
  const bound = Number(part.right.value) - (part.op === '<' ? 1 : 0);
  if (bound < 1) return null;
  if (part.op === '<' || part.op === '<=') return { number: bound, exact: true };
  return part.op === '=' ? { number: bound, exact: bound === 1 } : null;
}
