import { type Change, Op } from '../../core/change.ts';
import type { SetOperationNode } from '../../plan/plan.ts';
import { earliest, type FoldNode } from './fold-node.ts';
import type { JoinInputs } from './join-keys.ts';
import { rowTextOf } from './key-columns.ts';

interface Counts {
  left: number;
  right: number;
  /** of the row in the output */
  rowtime: number;
}

/** INTERSECT and EXCEPT by counting rows; the contract stands on {@link SetOperationNode}. */
export function setOperation(node: SetOperationNode, { left, right }: JoinInputs): FoldNode {
  const textOf = rowTextOf(node.schema);
  const counts = new Map<string, Counts>();
  const times = ({ left: l, right: r }: Counts): number => {
    if (node.op === 'intersect') return node.all ? Math.min(l, r) : Math.min(l, r, 1);
    return node.all ? Math.max(l - r, 0) : Number(l > 0 && r === 0);
  };
  const [enter, leave] = node.all ? [Op.ADD, Op.RETRACT] : [Op.UPSERT, Op.DELETE];

  const take =
    (side: 'left' | 'right') =>
    (change: Change): Change[] => {
      const text = textOf(change.row);
      const count = counts.get(text) ?? { left: 0, right: 0, rowtime: 0 };
      const before = times(count);
      if (change.op !== Op.RETRACT) count[side]++;
      else if (count[side] === 0) return [];
      else count[side]--;
      if (count.left === 0 && count.right === 0) counts.delete(text);
      else counts.set(text, count);
      const after = times(count);
      if (after === before) return [];
      if (before === 0) count.rowtime = change.rowtime;
      const { seq, row } = change;
      return [{ op: after > before ? enter : leave, seq, rowtime: count.rowtime, row, noValue: false }];
    };

  return {
    deadline: () => earliest(left.deadline(), right.deadline()),
    step(moment) {
      const fromLeft = left.step(moment);
      const fromRight = right.step(moment);
      return [...fromLeft.flatMap(take('left')), ...fromRight.flatMap(take('right'))];
    },
  };
}
