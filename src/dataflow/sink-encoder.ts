import { assert } from '../core/assert.ts';
import { createRecordEncoder, type RecordEncoder } from '../decode/record-encoder.ts';
import type { DeploymentPlan, PlanNode, ViewPlan } from '../plan/plan.ts';

/** How the changes of a view with a topic become the topic's records. */
export function sinkEncoder(view: ViewPlan, plan: DeploymentPlan): RecordEncoder {
  assert(view.sink, `${view.name} has no topic`);
  const keyReadAsIs = keyIsRead(view.root, name => plan.views.find(v => v.name === name)?.root);
  return createRecordEncoder(view.sink, view.root.schema, { keyReadAsIs });
}

function keyIsRead(node: PlanNode, rootOf: (view: string) => PlanNode | undefined): boolean {
  switch (node.node) {
    case 'scan':
      return true;
    case 'read': {
      const root = rootOf(node.view);
      return root !== undefined && keyIsRead(root, rootOf);
    }
    case 'rekey':
    case 'aggregate':
    case 'emitFinal':
    case 'copies':
    case 'streamStreamJoin':
    case 'streamTableJoin':
    case 'tableTableJoin':
    case 'equiJoin':
    case 'semiJoin':
    case 'keyed':
    case 'rank':
    case 'over':
    case 'setOperation':
      return false;
    case 'foreignKeyJoin':
      return keyIsRead(node.left, rootOf);
    case 'union':
      return node.inputs.every(input => keyIsRead(input, rootOf));
    default:
      return keyIsRead(node.input, rootOf);
  }
}
