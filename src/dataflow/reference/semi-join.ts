import { type Change, Op } from '../../core/change.ts';
import type { Row } from '../../core/value.ts';
import type { SemiJoinNode } from '../../plan/plan.ts';
import { contextOf, earliest, type FoldNode, type FoldOptions, type Moment } from './fold-node.ts';
import { type JoinInputs, joinKeys } from './join-keys.ts';
import { rowTextOf } from './key-columns.ts';

interface Entry {
  readonly row: Row;
  readonly rowtime: number;
  /** null: a NULL among its keys, it meets nothing */
  readonly key: string | null;
  readonly text: string;
  /** of a left row: how many rows it meets */
  met: number;
}

type SideName = 'left' | 'right';

/** Left rows by whether they meet any right row; the contract stands on {@link SemiJoinNode}. Entries in order of arrival. */
export function semiJoin(node: SemiJoinNode, { left, right }: JoinInputs, options: FoldOptions): FoldNode {
  const keyOf = { left: joinKeys(node.leftKeys, options), right: joinKeys(node.rightKeys, options) };
  const textOf = { left: rowTextOf(node.left.schema), right: rowTextOf(node.right.schema) };
  const condition = node.condition === null ? null : options.compile(node.condition);
  const entries: Record<SideName, Entry[]> = { left: [], right: [] };

  function entryOf(side: SideName, input: Change, moment: Moment): Entry {
    const { row, rowtime } = input;
    const key = keyOf[side](input, moment);
    const text = textOf[side](row);
    return { row, rowtime, key: key.values.includes(null) ? null : key.text, text, met: 0 };
  }

  function meets(l: Entry, r: Entry, moment: Moment): boolean {
    if (l.key === null || l.key !== r.key) return false;
    if (condition === null) return true;
    const row = [...l.row, ...r.row];
    const rowtime = Math.max(l.rowtime, r.rowtime);
    const change: Change = { op: Op.ADD, seq: moment.seq, rowtime, row, noValue: false };
    return condition(row, contextOf(change, moment, options.zone)) === true;
  }

  /** What is seen of a left row that meets some rows, or none. */
  function seen(op: Op, { row, rowtime }: Entry, met: boolean, seq: number): Change[] {
    if (node.type === 'mark') return [{ op, seq, rowtime, row: [...row, met], noValue: false }];
    return met === (node.type === 'semi') ? [{ op, seq, rowtime, row, noValue: false }] : [];
  }

  function takeLeft(change: Change, moment: Moment): Change[] {
    const { seq } = moment;
    if (change.op === Op.RETRACT) {
      const text = textOf.left(change.row);
      const at = entries.left.findLastIndex(entry => entry.text === text);
      const [entry] = at < 0 ? [] : entries.left.splice(at, 1);
      return entry === undefined ? [] : seen(Op.RETRACT, entry, entry.met > 0, seq);
    }
    const entry = entryOf('left', change, moment);
    entry.met = entries.right.filter(r => meets(entry, r, moment)).length;
    entries.left.push(entry);
    return seen(Op.ADD, entry, entry.met > 0, seq);
  }

  function takeRight(change: Change, given: Moment): Change[] {
    const taken = change.op === Op.RETRACT;
    const moment = taken ? { ...given, ledger: () => undefined } : given;
    let entry = entryOf('right', change, moment);
    if (taken) {
      const at = entries.right.findLastIndex(e => e.text === entry.text);
      const [found] = at < 0 ? [] : entries.right.splice(at, 1);
      if (found === undefined) return [];
      entry = found;
    } else entries.right.push(entry);
    const edge = taken ? 0 : 1;
    return entries.left
      .filter(l => meets(l, entry, moment))
      .flatMap(l => {
        l.met += taken ? -1 : 1;
        if (l.met !== edge) return [];
        return [...seen(Op.RETRACT, l, taken, moment.seq), ...seen(Op.ADD, l, !taken, moment.seq)];
      });
  }

  return {
    deadline: () => earliest(left.deadline(), right.deadline()),
    step(moment) {
      const fromLeft = left.step(moment);
      const fromRight = right.step(moment);
      return [
        ...fromLeft.flatMap(change => takeLeft(change, moment)),
        ...fromRight.flatMap(change => takeRight(change, moment)),
      ];
    },
  };
}
