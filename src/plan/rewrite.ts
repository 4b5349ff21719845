import type { PlanNode } from './plan.ts';

/** The rewrite rules in order. */
export function rewrite(root: PlanNode): PlanNode {
  return root;
}
