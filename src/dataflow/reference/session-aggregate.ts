import { assert } from '../../core/assert.ts';
import { type Change, Op } from '../../core/change.ts';
import type { Row } from '../../core/value.ts';
import { rowKey } from '../../expr/value-key.ts';
import type { AggregateNode } from '../../plan/plan.ts';
import { type Accumulators, AggregateRunner } from './accumulators.ts';
import type { FoldNode, FoldOptions, Moment } from './fold-node.ts';
import { groupInput } from './group-input.ts';
import { isClosed, type Window, windowColumns } from './windows.ts';

interface Session {
  readonly keys: Row;
  readonly window: Window;
  readonly accumulators: Accumulators;
  /** max event time over all rows ever */
  readonly rowtime: number;
}

/**
 * GROUP BY over session windows (append input only). A row joins all sessions of its key that lie within the gap; they
 * become one, from the first to the last event time. Within one sequence number: DELETE of each session that is gone,
 * UPSERT of each that is new or changed, in order of first touch.
 *
 * The row is late when the merged session has ended: last event + gap + grace < lane time.
 */
export function sessionAggregate(node: AggregateNode, input: FoldNode, options: FoldOptions): FoldNode {
  const spec = node.window;
  assert(spec?.type === 'session', 'session aggregate without session window');
  const runner = new AggregateRunner(node, options, false);
  const enter = groupInput(node, options);
  const keyText = rowKey(node.keys.map(key => key.type));
  /** by key, ordered by start */
  const sessions = new Map<string, readonly Session[]>();
  let laneTime = Number.NEGATIVE_INFINITY;

  /** Output keys of one sequence number in order of first touch, with the session that was there before. */
  type Touched = Map<
    string,
    { readonly key: string; readonly before: Session | null; readonly window: Window; readonly keys: Row }
  >;

  const sessionText = (key: string, { start, end }: Window) => `${key}@${start}-${end}`;
  const find = (key: string, { start, end }: Window) =>
    sessions.get(key)?.find(s => s.window.start === start && s.window.end === end) ?? null;

  function touch(touched: Touched, key: string, keys: Row, window: Window): void {
    const text = sessionText(key, window);
    if (!touched.has(text)) touched.set(text, { key, keys, window, before: find(key, window) });
  }

  function take(change: Change, moment: Moment, touched: Touched): void {
    const row = enter(change, moment);
    if (row === null || spec === null) return;
    assert(row.added, 'sessions over changing rows');
    const time = change.rowtime;
    laneTime = Math.max(laneTime, time);
    const key = keyText(row.keys);
    const all = sessions.get(key) ?? [];
    const joined = all.filter(s => s.window.end + spec.size >= time && s.window.start - spec.size <= time);
    const window = {
      start: Math.min(time, ...joined.map(s => s.window.start)),
      end: Math.max(time, ...joined.map(s => s.window.end)),
    };
    if (isClosed(window, spec, laneTime)) {
      moment.ledger('late', `${node.id}: session [${window.start}, ${window.end}] is closed`);
      return;
    }
    for (const session of joined) touch(touched, key, row.keys, session.window);
    touch(touched, key, row.keys, window);
    const [first, ...rest] = joined.map(s => s.accumulators);
    const accumulators = rest.reduce((a, b) => runner.merge(a, b), first ?? runner.init());
    runner.add(accumulators, change, row.ctx);
    const merged: Session = {
      keys: row.keys,
      window,
      accumulators,
      rowtime: Math.max(time, ...joined.map(s => s.rowtime)),
    };
    const others = all.filter(s => !joined.includes(s));
    sessions.set(
      key,
      [...others, merged].sort((a, b) => a.window.start - b.window.start),
    );
  }

  function settle(touched: Touched, seq: number): Change[] {
    return [...touched.values()].flatMap(({ key, keys, window, before }): Change[] => {
      const after = find(key, window);
      const head = [...keys, ...windowColumns(window)];
      if (after !== null) {
        const row = [...head, ...runner.results(after.accumulators)];
        return [{ op: Op.UPSERT, seq, rowtime: after.rowtime, row, noValue: false }];
      }
      if (before === null) return [];
      const row = [...head, ...node.aggregates.map(() => null)];
      return [{ op: Op.DELETE, seq, rowtime: before.rowtime, row, noValue: false }];
    });
  }

  return {
    deadline: () => input.deadline(),
    step(moment) {
      const touched: Touched = new Map();
      for (const change of input.step(moment)) take(change, moment, touched);
      return settle(touched, moment.seq);
    },
  };
}
