import { canFail } from '../../expr/can-fail.ts';
import type { DeploymentPlan, PlanNode, ViewPlan } from '../../plan/plan.ts';
import { inputsOf, kindOf } from '../../plan/properties.ts';

/**
 * The views of which only the last row per key and epoch is wanted (demand: final): keyed rows that feed no topic and
 * that nobody reads, or only views of the same sort through filters and projections.
 */
export function finalViews(
  plan: DeploymentPlan,
  writesTopic: (view: string) => boolean,
): ReadonlySet<string> {
  const final = new Set<string>();
  // readers follow what they read
  for (const view of [...plan.views].reverse()) {
    if (kindOf(view.root) !== 'upsert' || view.statement === 'stream') continue;
    if (view.sink !== null && writesTopic(view.name)) continue;
    // a row without a time is dropped and counted, and the one before it stays
    if (view.sink?.timestamp) continue;
    const readers = plan.views.filter(v => readsOf(v.root).includes(view.name));
    if (readers.every(reader => final.has(reader.name) && isStateless(reader))) final.add(view.name);
  }
  return final;
}

function readsOf(node: PlanNode): readonly string[] {
  return node.node === 'read' ? [node.view] : inputsOf(node).flatMap(readsOf);
}

function isStateless(view: ViewPlan): boolean {
  if (view.sink?.timestamp) return false;
  for (let node = view.root; ; node = node.input) {
    if (node.node === 'read') return true;
    if (node.node !== 'filter' && node.node !== 'project') return false;
    if (!passesDemand(node)) return false;
  }
}

/** Whether a node may see merged changes when only its own last change per key is wanted. */
export function passesDemand(node: PlanNode): boolean {
  if (node.node === 'filter') return !canFail(node.predicate);
  return node.node === 'project' && !node.columns.some(canFail);
}
