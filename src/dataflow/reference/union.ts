import { earliest, type FoldNode } from './fold-node.ts';

/** All changes of all inputs, by sequence, then by input. */
export function union(inputs: readonly FoldNode[]): FoldNode {
  return {
    deadline: () => earliest(...inputs.map(input => input.deadline())),
    step: moment => inputs.flatMap(input => input.step(moment)),
  };
}
