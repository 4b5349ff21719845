import { type Change, Op } from '../../core/change.ts';
import type { Row } from '../../core/value.ts';
import { rowKey } from '../../expr/value-key.ts';
import type { AggregateNode } from '../../plan/plan.ts';
import { type Accumulators, AggregateRunner } from './accumulators.ts';
import type { FoldNode, FoldOptions, Moment } from './fold-node.ts';
import { groupInput } from './group-input.ts';
import { rowOrder } from './key-columns.ts';
import { isClosed, type Window, windowColumns, windowsAt } from './windows.ts';

interface Group {
  readonly keys: Row;
  readonly window: Window | null;
  readonly accumulators: Accumulators;
  /** max event time over all rows ever */
  rowtime: number;
}

/** groups of one sequence number in order of first touch, and whether they were there before */
type Touched = Map<string, { readonly group: Group; readonly existed: boolean }>;

/**
 * GROUP BY without windows, or with tumbling or hopping windows (aligned to the epoch). Each touched group gives one
 * change per sequence number, in order of first touch: UPSERT, or DELETE when it has become empty and may go.
 *
 * A row is late for a window when windowEnd + grace <= lane time, the largest event time that has entered this node, the
 * row's own included. It is counted once for each window that it misses.
 *
 * RETENTION: rows of windows with windowEnd + retention <= lane time are deleted, after the groups, by (end, key).
 */
export function aggregate(
  node: AggregateNode,
  input: FoldNode,
  options: FoldOptions,
  retracting: boolean,
): FoldNode {
  const runner = new AggregateRunner(node, options, retracting);
  const enter = groupInput(node, options);
  const keyText = rowKey(node.keys.map(key => key.type));
  const groups = new Map<string, Group>();
  const always = node.emptyGroups === 'delete' && node.keys.length === 0 && node.window === null;
  let laneTime = Number.NEGATIVE_INFINITY;

  const rowOf = (group: Group): Row => [
    ...group.keys,
    ...windowColumns(group.window),
    ...runner.results(group.accumulators),
  ];
  const deletionOf = (group: Group, seq: number): Change => ({
    op: Op.DELETE,
    seq,
    rowtime: group.rowtime,
    row: [...group.keys, ...windowColumns(group.window), ...node.aggregates.map(() => null)],
    noValue: false,
  });
  function groupFor(keys: Row, window: Window | null, touched: Touched): Group {
    const text = keyText(keys) + (window === null ? '' : `@${window.start}`);
    const known = groups.get(text);
    const group = known ?? { keys, window, accumulators: runner.init(), rowtime: Number.NEGATIVE_INFINITY };
    if (!touched.has(text)) touched.set(text, { group, existed: known !== undefined });
    groups.set(text, group);
    return group;
  }

  function take(change: Change, moment: Moment, touched: Touched): void {
    const row = enter(change, moment);
    if (row === null) return;
    laneTime = Math.max(laneTime, change.rowtime);
    const windows = node.window === null ? [null] : windowsAt(change.rowtime, node.window);
    for (const window of windows) {
      if (window !== null && node.window !== null && isClosed(window, node.window, laneTime)) {
        moment.ledger('late', `${node.id}: window [${window.start}, ${window.end}) is closed`);
        continue;
      }
      const group = groupFor(row.keys, window, touched);
      if (row.added) runner.add(group.accumulators, change, row.ctx);
      else runner.retract(group.accumulators, change, row.ctx);
      group.rowtime = Math.max(group.rowtime, change.rowtime);
    }
  }

  function settle(touched: Touched, seq: number): Change[] {
    return [...touched].flatMap(([text, { group, existed }]): Change[] => {
      if (group.accumulators.rows > 0 || node.emptyGroups === 'keep' || always) {
        return [{ op: Op.UPSERT, seq, rowtime: group.rowtime, row: rowOf(group), noValue: false }];
      }
      groups.delete(text);
      return existed ? [deletionOf(group, seq)] : [];
    });
  }

  function expire(seq: number): Change[] {
    const retention = node.window?.retention ?? null;
    if (retention === null) return [];
    const order = rowOrder(node.schema, node.schema.key);
    const end = (group: Group) => group.window?.end ?? Number.POSITIVE_INFINITY;
    const expired = [...groups].filter(([, group]) => end(group) + retention <= laneTime);
    for (const [text] of expired) groups.delete(text);
    return expired
      .map(([, group]) => ({ end: end(group), change: deletionOf(group, seq) }))
      .sort((a, b) => a.end - b.end || order(a.change.row, b.change.row))
      .map(({ change }) => change);
  }

  return {
    deadline: () => input.deadline(),
    step(moment) {
      const touched: Touched = new Map();
      if (always && groups.size === 0) groupFor([], null, touched).rowtime = 0;
      for (const change of input.step(moment)) take(change, moment, touched);
      return [...settle(touched, moment.seq), ...expire(moment.seq)];
    },
  };
}
