import { BOOLEAN } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import { columnsOf, conjuncts, isDeterministic, some, substitute } from '../../sql/analyse/expr-tree.ts';
import type { AggregateNode, FilterNode, PlanNode } from '../plan.ts';
import { inputsOf, kindOf, withInputs } from '../properties.ts';

/**
 * Conditions move towards the scan where the rows stay the same: below a projection (its expressions stand in for the
 * columns), and below GROUP BY when they read group keys only. Not below a windowed GROUP BY: the rows that enter it move
 * its stream time, and that decides which rows are late. Not below a GROUP BY that sees records without a value. Not below
 * a join: of streams they would move its time, of others the ROWTIME of deletions and the counts of what cannot join.
 * Expressions that are not deterministic and ROWTIME of an aggregate stay where they are.
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
  if (input.node !== 'aggregate' || !admitsFilter(input)) return filter;
  const parts = conjuncts(filter.predicate);
  const movable = parts.filter(part => readsKeysOnly(part, input));
  if (movable.length === 0) return filter;
  const rest = parts.filter(part => !movable.includes(part));
  const inner: FilterNode = {
    node: 'filter',
    id: rest.length === 0 ? filter.id : `${filter.id}.keys`,
    schema: input.input.schema,
    input: input.input,
    predicate: keepingNullKeys(substitute(both(movable), input.keys), input),
  };
  const aggregate: AggregateNode = { ...input, input: pushFilters(inner) };
  return rest.length === 0 ? aggregate : { ...filter, input: aggregate, predicate: both(rest) };
}

function admitsFilter(aggregate: AggregateNode): boolean {
  return aggregate.window === null && aggregate.keys.length > 0 && !mayLackValue(aggregate.input);
}

/** Records of a stream without a value reach a group, which counts or groups them; no filter lets them through. */
function mayLackValue(node: PlanNode): boolean {
  switch (node.node) {
    case 'project':
    case 'rekey':
    case 'temporalFilter':
      return mayLackValue(node.input);
    case 'union':
      return node.inputs.some(mayLackValue);
    case 'scan':
    case 'read':
      return kindOf(node) === 'append';
    default:
      return false;
  }
}

/** A row with a NULL in its key is dropped by the group, which counts it: the filter must not hide it. */
function keepingNullKeys(predicate: Expr, aggregate: AggregateNode): Expr {
  if (aggregate.nullKeys === 'group') return predicate;
  return aggregate.keys.reduceRight<Expr>(
    (right, arg) => ({
      node: 'or',
      type: BOOLEAN,
      left: { node: 'isNull', type: BOOLEAN, arg, negated: false },
      right,
    }),
    predicate,
  );
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

function both(parts: readonly Expr[]): Expr {
  return parts.reduce((left, right) => ({ node: 'and', type: BOOLEAN, left, right }));
}
