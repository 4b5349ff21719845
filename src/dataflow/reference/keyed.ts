import { Op } from '../../core/change.ts';
import type { FoldNode } from './fold-node.ts';

/** ADD sets the row of its key, RETRACT takes it away: a key never has two rows. */
export function keyed(input: FoldNode): FoldNode {
  return {
    deadline: () => input.deadline(),
    step: moment =>
      input.step(moment).map(change => ({
        ...change,
        op: change.op === Op.RETRACT ? Op.DELETE : Op.UPSERT,
        noValue: false,
      })),
  };
}
