import { type Change, Op } from '../../core/change.ts';
import type { Row } from '../../core/value.ts';
import type { TableTableJoinNode } from '../../plan/plan.ts';
import { earliest, type FoldNode, type FoldOptions, type Moment } from './fold-node.ts';
import { type JoinInputs, joinedRows, presentKeys } from './join-keys.ts';

interface Pair {
  left: Change | null;
  right: Change | null;
}

interface Touched {
  readonly key: Row;
  readonly existed: boolean;
  rowtime: number;
}

/** All changes of both sides in a sequence number, then one change for each key that they touched. */
export function tableTableJoin(
  node: TableTableJoinNode,
  { left, right }: JoinInputs,
  options: FoldOptions,
): FoldNode {
  const keyOf = {
    left: presentKeys(node, node.leftKeys, options),
    right: presentKeys(node, node.rightKeys, options),
  };
  const joined = joinedRows(node);
  const pairs = new Map<string, Pair>();
  /** by the text of the key, in order of first touch; of the current sequence number */
  let touched = new Map<string, Touched>();

  const exists = (pair: Pair): boolean => {
    switch (node.type) {
      case 'inner':
        return pair.left !== null && pair.right !== null;
      case 'left':
        return pair.left !== null;
      case 'right':
        return pair.right !== null;
      case 'full':
        return pair.left !== null || pair.right !== null;
    }
  };

  function take(side: 'left' | 'right', change: Change, moment: Moment): void {
    const key = keyOf[side](change, moment);
    if (key === null) return;
    const pair = pairs.get(key.text) ?? { left: null, right: null };
    const touch = touched.get(key.text) ?? {
      key: key.values,
      existed: exists(pair),
      rowtime: change.rowtime,
    };
    touch.rowtime = Math.max(touch.rowtime, change.rowtime);
    touched.set(key.text, touch);
    pair[side] = change.op === Op.DELETE ? null : change;
    if (pair.left === null && pair.right === null) pairs.delete(key.text);
    else pairs.set(key.text, pair);
  }

  function settle(text: string, touch: Touched, seq: number): Change[] {
    const pair = pairs.get(text) ?? { left: null, right: null };
    const change = (op: Op, row: Row): Change => ({
      op,
      seq,
      rowtime: Math.max(touch.rowtime, pair.left?.rowtime ?? 0, pair.right?.rowtime ?? 0),
      row,
      noValue: false,
    });
    if (exists(pair)) {
      return [change(Op.UPSERT, joined(pair.left?.row ?? null, pair.right?.row ?? null, touch.key))];
    }
    return touch.existed ? [change(Op.DELETE, joined(null, null, touch.key))] : [];
  }

  return {
    deadline: () => earliest(left.deadline(), right.deadline()),
    step(moment) {
      touched = new Map<string, Touched>();
      for (const change of left.step(moment)) take('left', change, moment);
      for (const change of right.step(moment)) take('right', change, moment);
      return [...touched].flatMap(([text, touch]) => settle(text, touch, moment.seq));
    },
  };
}
