import type { Change } from '../../core/change.ts';
import type { Row } from '../../core/value.ts';
import type { Expr } from '../../expr/expr.ts';
import { rowKey } from '../../expr/value-key.ts';
import type { JoinNode } from '../../plan/plan.ts';
import { contextOf, type FoldNode, type FoldOptions, type Moment } from './fold-node.ts';

/** The values on which a row may meet others, and their text for Maps. */
export interface JoinKey {
  readonly values: Row;
  readonly text: string;
}

export interface JoinInputs {
  readonly left: FoldNode;
  readonly right: FoldNode;
}

export function joinKeys(
  keys: readonly Expr[],
  options: FoldOptions,
): (change: Change, moment: Moment) => JoinKey {
  const compiled = keys.map(options.compile);
  const text = rowKey(keys.map(key => key.type));
  return (change, moment) => {
    const ctx = contextOf(change, moment, options.zone);
    const values = compiled.map(key => key(change.row, ctx));
    return { values, text: text(values) };
  };
}

/** The key of a change that may join; null, and counted, when it has no value or a NULL in its key. */
export function presentKeys(
  node: JoinNode,
  keys: readonly Expr[],
  options: FoldOptions,
): (change: Change, moment: Moment) => JoinKey | null {
  const keyOf = joinKeys(keys, options);
  return (change, moment) => {
    if (change.noValue) {
      moment.ledger('null_key', `${node.id}: record without value`);
      return null;
    }
    const key = keyOf(change, moment);
    if (!key.values.includes(null)) return key;
    moment.ledger('null_key', `${node.id}: NULL in the join key`);
    return null;
  };
}

/** Puts a joined row together; a missing side is NULLs. */
export function joinedRows(node: JoinNode): (left: Row | null, right: Row | null, key: Row) => Row {
  const noLeft = node.left.schema.columns.map(() => null);
  const noRight = node.right.schema.columns.map(() => null);
  return (left, right, key) => [...(left ?? noLeft), ...(right ?? noRight), ...key];
}
