import type { ReadNode } from '../../plan/plan.ts';
import type { FoldNode } from './fold-node.ts';

/** The changes of another view within the same sequence number; it was stepped before. */
export function read(node: ReadNode): FoldNode {
  return {
    deadline: () => null,
    step: moment => moment.changesOf(node.view),
  };
}
