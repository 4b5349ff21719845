import { type Change, Op } from '../../core/change.ts';
import type { Row } from '../../core/value.ts';
import type { StreamStreamJoinNode } from '../../plan/plan.ts';
import { earliest, type FoldNode, type FoldOptions, type Moment } from './fold-node.ts';
import { type JoinInputs, type JoinKey, joinedRows, presentKeys } from './join-keys.ts';

type SideName = 'left' | 'right';

interface KeptRow {
  readonly side: SideName;
  readonly row: Row;
  readonly key: JoinKey;
  readonly time: number;
  /** order of arrival over both sides */
  readonly arrival: number;
}

interface Side {
  readonly name: SideName;
  readonly keyOf: (change: Change, moment: Moment) => JoinKey | null;
  /** how far before and after its time a row of this side looks for the other's */
  readonly before: number;
  readonly after: number;
  /** unmatched rows of this side are given with NULLs */
  readonly preserved: boolean;
  kept: readonly KeptRow[];
  laneTime: number;
}

/**
 * Rows of two streams that are near in time; the contract stands on {@link StreamStreamJoinNode}. `waiting` are the
 * unmatched rows whose null row is still to come.
 */
export function streamStreamJoin(
  node: StreamStreamJoinNode,
  { left, right }: JoinInputs,
  options: FoldOptions,
): FoldNode {
  const { before, after, grace, eager, type } = node;
  const joined = joinedRows(node);
  const sides = {
    left: side({
      name: 'left',
      keyOf: presentKeys(node, node.leftKeys, options),
      before,
      after,
      preserved: type === 'left' || type === 'full',
    }),
    right: side({
      name: 'right',
      keyOf: presentKeys(node, node.rightKeys, options),
      before: after,
      after: before,
      preserved: type === 'right' || type === 'full',
    }),
  };
  let waiting: readonly KeptRow[] = [];
  let jointTime = Number.NEGATIVE_INFINITY;
  let arrivals = 0;

  const add = (mine: KeptRow, other: KeptRow | null, seq: number): Change => {
    const [l, r] = mine.side === 'left' ? [mine, other] : [other, mine];
    const rowtime = Math.max(mine.time, other?.time ?? mine.time);
    const row = joined(l?.row ?? null, r?.row ?? null, mine.key.values);
    return { op: Op.ADD, seq, rowtime, row, noValue: false };
  };
  const isDue = (row: KeptRow): boolean => jointTime > row.time + sides[row.side].after + grace;
  const isKept = (row: KeptRow): boolean => row.time > sides[row.side].laneTime - (before + after + grace);

  function dueRows(seq: number): Change[] {
    const due = waiting.filter(isDue);
    waiting = waiting.filter(row => !due.includes(row));
    return due.sort(byTime).map(row => add(row, null, seq));
  }

  function take(mine: Side, change: Change, moment: Moment): Change[] {
    const key = mine.keyOf(change, moment);
    if (key === null) return [];
    const other = mine === sides.left ? sides.right : sides.left;
    const { rowtime: time, row } = change;
    const entry: KeptRow = { side: mine.name, row, key, time, arrival: arrivals++ };
    mine.laneTime = Math.max(mine.laneTime, time);
    jointTime = Math.max(jointTime, time);
    mine.kept = mine.kept.filter(isKept);
    const out = dueRows(moment.seq);
    const matches = other.kept
      .filter(r => r.key.text === key.text && r.time >= time - mine.before && r.time <= time + mine.after)
      .sort(byTime);
    waiting = waiting.filter(r => !matches.includes(r));
    out.push(...matches.map(match => add(entry, match, moment.seq)));
    const fresh = isKept(entry);
    if (matches.length === 0 && mine.preserved) {
      if (eager || !fresh || isDue(entry)) out.push(add(entry, null, moment.seq));
      else waiting = [...waiting, entry];
    }
    if (fresh) mine.kept = [...mine.kept, entry];
    else moment.ledger('late', `${node.id}: a ${mine.name} row came too late to wait for others`);
    return out;
  }

  return {
    deadline: () => earliest(left.deadline(), right.deadline()),
    step(moment) {
      const fromLeft = left.step(moment);
      const fromRight = right.step(moment);
      return [
        ...fromLeft.flatMap(change => take(sides.left, change, moment)),
        ...fromRight.flatMap(change => take(sides.right, change, moment)),
      ];
    },
  };
}

function side(constants: Omit<Side, 'kept' | 'laneTime'>): Side {
  return { ...constants, kept: [], laneTime: Number.NEGATIVE_INFINITY };
}

function byTime(a: KeptRow, b: KeptRow): number {
  return a.time - b.time || a.arrival - b.arrival;
}
