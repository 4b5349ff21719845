import { type Change, Op } from '../../core/change.ts';
import type { Row } from '../../core/value.ts';
import type { EquiJoinNode } from '../../plan/plan.ts';
import { contextOf, earliest, type FoldNode, type FoldOptions, type Moment } from './fold-node.ts';
import { type JoinInputs, joinedRows, joinKeys } from './join-keys.ts';
import { rowTextOf } from './key-columns.ts';

type SideName = 'left' | 'right';

interface Entry {
  readonly side: SideName;
  readonly row: Row;
  readonly rowtime: number;
  /** null: a NULL among its keys, it meets nothing */
  readonly key: string | null;
  readonly text: string;
  /** how many rows it meets */
  met: number;
}

/** Rows of two multisets; the contract stands on {@link EquiJoinNode}. Entries are in order of arrival. */
export function equiJoin(node: EquiJoinNode, { left, right }: JoinInputs, options: FoldOptions): FoldNode {
  const { type } = node;
  const keyOf = { left: joinKeys(node.leftKeys, options), right: joinKeys(node.rightKeys, options) };
  const textOf = { left: rowTextOf(node.left.schema), right: rowTextOf(node.right.schema) };
  const preserved = {
    left: type === 'left' || type === 'full',
    right: type === 'right' || type === 'full',
  };
  const condition = node.condition === null ? null : options.compile(node.condition);
  const joined = joinedRows(node);
  /** by key; those with a NULL among theirs under null */
  const entries: Record<SideName, Map<string | null, Entry[]>> = { left: new Map(), right: new Map() };

  const change = (op: Op, mine: Entry, other: Entry | null, seq: number): Change => {
    const [l, r] = mine.side === 'left' ? [mine, other] : [other, mine];
    const row = joined(l?.row ?? null, r?.row ?? null, []);
    return { op, seq, rowtime: Math.max(mine.rowtime, other?.rowtime ?? 0), row, noValue: false };
  };

  function partners(entry: Entry, moment: Moment): Entry[] {
    if (entry.key === null) return [];
    const others = entries[entry.side === 'left' ? 'right' : 'left'].get(entry.key) ?? [];
    return others.filter(other => {
      if (condition === null) return true;
      const candidate = change(Op.ADD, entry, other, moment.seq);
      return condition(candidate.row, contextOf(candidate, moment, options.zone)) === true;
    });
  }

  function entryOf(side: SideName, input: Change, moment: Moment): Entry {
    const { row, rowtime } = input;
    const key = keyOf[side](input, moment);
    const text = textOf[side](row);
    return { side, row, rowtime, key: key.values.includes(null) ? null : key.text, text, met: 0 };
  }

  function add(entry: Entry, moment: Moment): Change[] {
    const out: Change[] = [];
    const met = partners(entry, moment);
    for (const other of met) {
      if (preserved[other.side] && other.met === 0) out.push(change(Op.RETRACT, other, null, moment.seq));
      other.met++;
      out.push(change(Op.ADD, entry, other, moment.seq));
    }
    entry.met = met.length;
    const same = entries[entry.side].get(entry.key);
    if (same === undefined) entries[entry.side].set(entry.key, [entry]);
    else same.push(entry);
    if (preserved[entry.side] && entry.met === 0) out.push(change(Op.ADD, entry, null, moment.seq));
    return out;
  }

  function retract({ side, key, text }: Entry, moment: Moment): Change[] {
    const same = entries[side].get(key) ?? [];
    const at = same.findLastIndex(entry => entry.text === text);
    const [entry] = at < 0 ? [] : same.splice(at, 1);
    if (entry === undefined) return [];
    if (same.length === 0) entries[side].delete(key);
    const out: Change[] = [];
    for (const other of partners(entry, moment)) {
      out.push(change(Op.RETRACT, entry, other, moment.seq));
      other.met--;
      if (preserved[other.side] && other.met === 0) out.push(change(Op.ADD, other, null, moment.seq));
    }
    if (preserved[side] && entry.met === 0) out.push(change(Op.RETRACT, entry, null, moment.seq));
    return out;
  }

  const take = (side: SideName, moment: Moment) => (input: Change) =>
    input.op === Op.RETRACT
      ? retract(entryOf(side, input, silent(moment)), silent(moment))
      : add(entryOf(side, input, moment), moment);

  return {
    deadline: () => earliest(left.deadline(), right.deadline()),
    step(moment) {
      const fromLeft = left.step(moment);
      const fromRight = right.step(moment);
      return [...fromLeft.flatMap(take('left', moment)), ...fromRight.flatMap(take('right', moment))];
    },
  };
}

/** What is evaluated again is not counted again. */
function silent(moment: Moment): Moment {
  return { ...moment, ledger: () => undefined };
}
