import { type Change, Op } from '../../core/change.ts';
import type { Row } from '../../core/value.ts';
import type { ForeignKeyJoinNode } from '../../plan/plan.ts';
import { earliest, type FoldNode, type FoldOptions, type Moment } from './fold-node.ts';
import { type JoinInputs, joinedRows, joinKeys } from './join-keys.ts';
import { keyOnly, keyTextOf, rowOrder } from './key-columns.ts';

interface LeftRow {
  readonly change: Change;
  /** text of the key that it points to; null: it points nowhere */
  readonly target: string | null;
}

interface Touched {
  /** the key's columns of the left table, the others NULL */
  readonly key: Row;
  readonly existed: boolean;
  rowtime: number;
}

/**
 * The left changes of a sequence number, then the right ones, each with all left rows that point to it; then one change
 * for each left key that was touched.
 */
export function foreignKeyJoin(
  node: ForeignKeyJoinNode,
  { left, right }: JoinInputs,
  options: FoldOptions,
): FoldNode {
  const targetOf = joinKeys(node.leftKeys, options);
  const rightKey = joinKeys(node.rightKeys, options);
  const { schema } = node.left;
  const leftText = keyTextOf(schema);
  const byLeftKey = rowOrder(schema, schema.key);
  const joined = joinedRows(node);
  const lefts = new Map<string, LeftRow>();
  const rights = new Map<string, Change>();
  /** by the text of the left key, in order of first touch; of the current sequence number */
  let touched = new Map<string, Touched>();

  const rightOf = (row: LeftRow): Change | null =>
    row.target === null ? null : (rights.get(row.target) ?? null);
  const exists = (row: LeftRow | undefined): boolean =>
    row !== undefined && (node.type === 'left' || rightOf(row) !== null);

  function touch(text: string, row: Row, change: Change): void {
    const known = touched.get(text);
    if (known) known.rowtime = Math.max(known.rowtime, change.rowtime);
    else {
      touched.set(text, {
        key: keyOnly(row, schema),
        existed: exists(lefts.get(text)),
        rowtime: change.rowtime,
      });
    }
  }

  function takeLeft(change: Change, moment: Moment): void {
    if (node.nullKeys !== 'keep' && schema.key.some(i => change.row[i] === null)) {
      moment.ledger('null_key', `${node.id}: NULL in the key of the left table`);
      return;
    }
    const text = leftText(change.row);
    touch(text, change.row, change);
    if (change.op === Op.DELETE) lefts.delete(text);
    else {
      const target = targetOf(change, moment);
      lefts.set(text, { change, target: target.values.includes(null) ? null : target.text });
    }
  }

  function takeRight(change: Change, moment: Moment): void {
    const { text: target } = rightKey(change, moment);
    const pointing = [...lefts]
      .filter(([, row]) => row.target === target)
      .sort(([, a], [, b]) => byLeftKey(a.change.row, b.change.row));
    for (const [text, row] of pointing) touch(text, row.change.row, change);
    if (change.op === Op.DELETE) rights.delete(target);
    else rights.set(target, change);
  }

  function settle(text: string, { key, existed, rowtime }: Touched, seq: number): Change[] {
    const row = lefts.get(text);
    const found = row === undefined ? null : rightOf(row);
    const times = [rowtime, row?.change.rowtime ?? 0, found?.rowtime ?? 0];
    const base = { seq, rowtime: Math.max(...times), noValue: false };
    if (row !== undefined && exists(row)) {
      return [{ ...base, op: Op.UPSERT, row: joined(row.change.row, found?.row ?? null, []) }];
    }
    return existed ? [{ ...base, op: Op.DELETE, row: joined(key, null, []) }] : [];
  }

  return {
    deadline: () => earliest(left.deadline(), right.deadline()),
    step(moment) {
      touched = new Map<string, Touched>();
      for (const change of left.step(moment)) takeLeft(change, moment);
      for (const change of right.step(moment)) takeRight(change, moment);
      return [...touched].flatMap(([text, touch]) => settle(text, touch, moment.seq));
    },
  };
}
