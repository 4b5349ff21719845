import { type Change, Op } from '../../core/change.ts';
import type { Row } from '../../core/value.ts';
import type { StreamTableJoinNode } from '../../plan/plan.ts';
import { earliest, type FoldNode, type FoldOptions, type Moment } from './fold-node.ts';
import { type JoinInputs, joinedRows, joinKeys, presentKeys } from './join-keys.ts';

/** The table's changes of a sequence number first; then each row of the stream with the row that its key has. */
export function streamTableJoin(
  node: StreamTableJoinNode,
  { left, right }: JoinInputs,
  options: FoldOptions,
): FoldNode {
  const leftKey = presentKeys(node, node.leftKeys, options);
  const rightKey = joinKeys(node.rightKeys, options);
  const joined = joinedRows(node);
  const table = new Map<string, Row>();

  function store(change: Change, moment: Moment): void {
    const { text } = rightKey(change, moment);
    if (change.op === Op.DELETE) table.delete(text);
    else table.set(text, change.row);
  }

  function join(change: Change, moment: Moment): Change[] {
    const key = leftKey(change, moment);
    if (key === null) return [];
    const found = table.get(key.text) ?? null;
    if (found === null && node.type === 'inner') return [];
    return [{ ...change, row: joined(change.row, found, key.values) }];
  }

  return {
    deadline: () => earliest(left.deadline(), right.deadline()),
    step(moment) {
      const rows = left.step(moment);
      for (const change of right.step(moment)) store(change, moment);
      return rows.flatMap(change => join(change, moment));
    },
  };
}
