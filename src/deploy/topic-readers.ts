import type { PlanNode, ScanNode, ViewPlan } from '../plan/plan.ts';
import { inputsOf } from '../plan/properties.ts';
import { withUpstream } from './planned-views.ts';

/** A view that reads a topic, directly or through others. */
export interface TopicReader {
  readonly view: string;
  /** it would have the same rows if the topic held the last record of each key alone */
  readonly afterCompaction: boolean;
}

/** The views that need the records of a topic to be rebuilt exactly. */
export function topicReaders(topic: string, views: readonly ViewPlan[]): TopicReader[] {
  return views.flatMap(view => {
    const nodes = withUpstream([view.name], views).flatMap(v => [...nodesOf(v.root)]);
    const scans = nodes.filter((n): n is ScanNode => n.node === 'scan' && n.source.topic === topic);
    if (scans.length === 0) return [];
    const afterCompaction = scans.every(s => s.source.kind === 'table') && !nodes.some(seesHistory);
    return [{ view: view.name, afterCompaction }];
  });
}

/** What depends on older rows of a table: the moment of a stream's row, and a group that once was there and stays. */
function seesHistory(node: PlanNode): boolean {
  return node.node === 'streamTableJoin' || (node.node === 'aggregate' && node.emptyGroups === 'keep');
}

function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const input of inputsOf(node)) yield* nodesOf(input);
}
