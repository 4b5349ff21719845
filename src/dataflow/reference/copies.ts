import { type Change, Op } from '../../core/change.ts';
import type { CopiesNode } from '../../plan/plan.ts';
import type { FoldNode } from './fold-node.ts';
import { rowTextOf } from './key-columns.ts';

/** Equal rows are numbered from 1; the last one goes first. */
export function copies(node: CopiesNode, input: FoldNode): FoldNode {
  const textOf = rowTextOf(node.input.schema);
  const counts = new Map<string, number>();

  function numbered(change: Change): Change[] {
    const text = textOf(change.row);
    const count = counts.get(text) ?? 0;
    if (change.op !== Op.RETRACT) {
      counts.set(text, count + 1);
      return [{ ...change, op: Op.UPSERT, row: [...change.row, count + 1], noValue: false }];
    }
    if (count === 0) return [];
    if (count === 1) counts.delete(text);
    else counts.set(text, count - 1);
    return [{ ...change, op: Op.DELETE, row: [...change.row, count] }];
  }

  return {
    deadline: () => input.deadline(),
    step: moment => input.step(moment).flatMap(numbered),
  };
}
