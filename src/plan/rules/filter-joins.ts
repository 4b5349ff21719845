import { canFail } from '../../expr/can-fail.ts';
import type { Expr } from '../../expr/expr.ts';
import {
  allOf,
  columnsOf,
  conjuncts,
  exprKey,
  isDeterministic,
  renumber,
  some,
} from '../../sql/analyse/expr-tree.ts';
import type { EquiJoinNode, FilterNode, PlanNode } from '../plan.ts';
import { inputsOf, withInputs } from '../properties.ts';
import { pushFilters } from './push-filter.ts';

/**
 * Conditions right above a join of complete SQL: what they say of one side alone filters that side, so that rows which
 * never come through are not kept; what they say of both is a condition of the join, so that pairs which never come
 * through are not made. Sides whose rows are given with NULLs stay as they are. Only where nothing can fail: the ledger
 * would count other rows.
 */
export function filterJoins(node: PlanNode): PlanNode {
  const here = node.node === 'filter' && node.input.node === 'equiJoin' ? filtered(node, node.input) : node;
  return withInputs(here, inputsOf(here).map(filterJoins));
}

function filtered(filter: FilterNode, join: EquiJoinNode): PlanNode {
  if (canFail(filter.predicate) || (join.condition !== null && canFail(join.condition))) return filter;
  const width = join.left.schema.columns.length;
  const of = { left: [] as Expr[], right: [] as Expr[], both: [] as Expr[], rest: [] as Expr[] };
  for (const part of conjuncts(filter.predicate)) {
    if (!isKeyPair(part, join, width)) of[placeOf(part, join, width)].push(part);
  }
  const right = of.right.map(part => renumber(part, index => index - width));
  const moved: EquiJoinNode = {
    ...join,
    left: below(join.left, of.left, `${filter.id}.left`),
    right: below(join.right, right, `${filter.id}.right`),
    condition: allOf([...(join.condition === null ? [] : [join.condition]), ...of.both]),
  };
  const rest = allOf(of.rest);
  return rest === null ? moved : { ...filter, input: moved, predicate: rest };
}

function placeOf(part: Expr, join: EquiJoinNode, width: number): 'left' | 'right' | 'both' | 'rest' {
  const columns = [...columnsOf(part)];
  const reads = some(part, e => e.node === 'rowtime' || e.node === 'now');
  if (columns.length === 0 || reads || !isDeterministic(part)) return 'rest';
  // keys of rows that are filtered away would not be computed, and their failures not be counted
  const { type, leftKeys, rightKeys } = join;
  const plain = [...leftKeys, ...rightKeys].every(key => !canFail(key));
  if (columns.every(c => c < width)) return plain && (type === 'inner' || type === 'left') ? 'left' : 'rest';
  if (columns.every(c => c >= width))
    return plain && (type === 'inner' || type === 'right') ? 'right' : 'rest';
  return type === 'inner' ? 'both' : 'rest';
}

/** Whether the condition says again what the keys of the join say. */
function isKeyPair(part: Expr, { type, leftKeys, rightKeys }: EquiJoinNode, width: number): boolean {
  // a DOUBLE that is no number equals itself as a key
  if (type !== 'inner' || part.node !== 'compare' || part.op !== '=' || !EXACT.has(part.left.type.kind))
    return false;
  const sides = [exprKey(part.left), exprKey(part.right)];
  return leftKeys.some((left, i) => {
    const right = rightKeys[i];
    if (right === undefined) return false;
    const pair = [exprKey(left), exprKey(renumber(right, index => index + width))];
    return pair.every(key => sides.includes(key));
  });
}

const EXACT: ReadonlySet<string> = new Set(['INT', 'BIGINT', 'STRING', 'DATE', 'TIME', 'TIMESTAMP']);

function below(input: PlanNode, parts: readonly Expr[], id: string): PlanNode {
  const predicate = allOf(parts);
  if (predicate === null) return input;
  return pushFilters({ node: 'filter', id, schema: input.schema, input, predicate });
}
