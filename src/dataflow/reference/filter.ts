import { type Change, Op } from '../../core/change.ts';
import type { FilterNode } from '../../plan/plan.ts';
import { contextOf, type FoldNode, type FoldOptions } from './fold-node.ts';
import { keyOnly } from './key-columns.ts';

/**
 * Keeps changes whose row passes. A row of an upsert relation that fails takes its key away: whether the key was there is
 * not known here, so the DELETE may be of nothing. A stream's record without value never passes.
 */
export function filter(node: FilterNode, input: FoldNode, options: FoldOptions): FoldNode {
  const predicate = options.compile(node.predicate);
  return {
    deadline: () => input.deadline(),
    step(moment) {
      return input.step(moment).flatMap((change): Change[] => {
        if (change.op === Op.DELETE) return [change];
        if (change.noValue) return [];
        if (predicate(change.row, contextOf(change, moment, options.zone)) === true) return [change];
        if (change.op !== Op.UPSERT) return [];
        return [{ ...change, op: Op.DELETE, row: keyOnly(change.row, node.schema) }];
      });
    },
  };
}
