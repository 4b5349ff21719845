import type { PlanNode } from './plan.ts';
import { pruneColumns } from './rules/prune-columns.ts';
import { pushFilters } from './rules/push-filter.ts';

/** The rewrite rules in order: each gives a plan of the same rows. */
const RULES: readonly ((root: PlanNode) => PlanNode)[] = [pushFilters, pruneColumns];

export function rewrite(root: PlanNode): PlanNode {
  return RULES.reduce((plan, rule) => rule(plan), root);
}
