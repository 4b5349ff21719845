import { Op } from '../../core/change.ts';
import type { ProjectNode } from '../../plan/plan.ts';
import { contextOf, type FoldNode, type FoldOptions } from './fold-node.ts';

/**
 * New columns from each row. Of a DELETE and of a stream's record without value only the key columns are computed, the
 * others are NULL.
 */
export function project(node: ProjectNode, input: FoldNode, options: FoldOptions): FoldNode {
  const columns = node.columns.map(options.compile);
  const inKey = columns.map((_, i) => node.schema.key.includes(i));
  return {
    deadline: () => input.deadline(),
    step(moment) {
      return input.step(moment).map(change => {
        const ctx = contextOf(change, moment, options.zone);
        const bare = change.op === Op.DELETE || change.noValue;
        return {
          ...change,
          row: columns.map((column, i) => (bare && inKey[i] !== true ? null : column(change.row, ctx))),
        };
      });
    },
  };
}
