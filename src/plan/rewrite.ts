import type { PlanNode } from './plan.ts';
import { filterJoins } from './rules/filter-joins.ts';
import { limitRank } from './rules/limit-rank.ts';
import { pruneColumns } from './rules/prune-columns.ts';
import { pushFilters } from './rules/push-filter.ts';

/** Gives a plan of the same rows. */
export type RewriteRule = (root: PlanNode) => PlanNode;

/** All rules in their order. */
export const REWRITE_RULES: readonly RewriteRule[] = [pushFilters, filterJoins, limitRank, pruneColumns];

export function rewrite(root: PlanNode, rules: readonly RewriteRule[] = REWRITE_RULES): PlanNode {
  return rules.reduce((plan, rule) => rule(plan), root);
}
