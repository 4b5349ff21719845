import { BOOLEAN } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import { columnsOf, isDeterministic, some, substitute } from '../../sql/analyse/expr-tree.ts';
import type { AggregateNode, FilterNode, PlanNode } from '../plan.ts';
import { inputsOf, withInputs } from '../properties.ts';

/**
 * Conditions move towards the scan where the rows stay the same: below a projection (its expressions stand in for the
 * columns), and below GROUP BY when they read group keys only. Not below a windowed GROUP BY: the rows that enter it move
 * its stream time, and that decides which rows are late. Expressions that are not deterministic and ROWTIME of an
 * aggregate stay where they are.
 */
export function pushFilters(node: PlanNode): PlanNode {
  const below = withInputs(node, inputsOf(node).map(pushFilters));
  return below.node === 'filter' ? pushed(below) : below;
}

function pushed(filter: FilterNode): PlanNode {
  const { input } = filter;
  if (input.node === 'project' && isDeterministic(filter.predicate) && input.columns.every(isDeterministic)) {
    const predicate = substitute(filter.predicate, input.columns);
    const inner: FilterNode = { ...filter, schema: input.input.schema, input: input.input, predicate };
    return { ...input, input: pushFilters(inner) };
  }
  if (input.node !== 'aggregate' || input.window !== null || input.keys.length === 0) return filter;
  const parts = conjuncts(filter.predicate);
  const movable = parts.filter(part => readsKeysOnly(part, input));
  if (movable.length === 0) return filter;
  const rest = parts.filter(part => !movable.includes(part));
  const inner: FilterNode = {
    node: 'filter',
    id: rest.length === 0 ? filter.id : `${filter.id}.keys`,
    schema: input.input.schema,
    input: input.input,
    predicate: substitute(both(movable), input.keys),
  };
  const aggregate: AggregateNode = { ...input, input: pushFilters(inner) };
  return rest.length === 0 ? aggregate : { ...filter, input: aggregate, predicate: both(rest) };
}

function readsKeysOnly(part: Expr, aggregate: AggregateNode): boolean {
  const columns = columnsOf(part);
  return (
    columns.size > 0 &&
    [...columns].every(i => i < aggregate.keys.length) &&
    isDeterministic(part) &&
    aggregate.keys.every(isDeterministic) &&
    !some(part, e => e.node === 'rowtime' || e.node === 'now')
  );
}

function conjuncts(expr: Expr): readonly Expr[] {
  return expr.node === 'and' ? [...conjuncts(expr.left), ...conjuncts(expr.right)] : [expr];
}

function both(parts: readonly Expr[]): Expr {
  return parts.reduce((left, right) => ({ node: 'and', type: BOOLEAN, left, right }));
}
