import { type Change, Op } from '../../core/change.ts';
import type { Row } from '../../core/value.ts';
import { canonicalValue } from '../../expr/canonical-value.ts';
import type { EvalContext } from '../../expr/functions.ts';
import type { AggregateNode } from '../../plan/plan.ts';
import { contextOf, type FoldOptions, type Moment } from './fold-node.ts';

/** A row on its way into a group. */
export interface GroupRow {
  readonly change: Change;
  readonly keys: Row;
  readonly ctx: EvalContext;
  /** + or - */
  readonly added: boolean;
}

/**
 * The rows that enter an aggregate with their group keys. Strict (`nullKeys: drop`): a NULL in the key and a stream's
 * record without value are dropped and counted.
 */
export function groupInput(node: AggregateNode, options: FoldOptions) {
  const keys = node.keys.map(options.compile);
  const canonical = node.keys.map(key => canonicalValue(key.type));
  const strict = node.nullKeys === 'drop';
  return (change: Change, moment: Moment): GroupRow | null => {
    if (strict && change.noValue) {
      moment.ledger('null_key', `${node.id}: record without value`);
      return null;
    }
    const ctx = contextOf(change, moment, options.zone);
    const row = keys.map((key, i) => {
      const value = key(change.row, ctx);
      return canonical[i]?.(value) ?? value;
    });
    if (strict && row.includes(null)) {
      moment.ledger('null_key', `${node.id}: NULL in the group key`);
      return null;
    }
    return { change, keys: row, ctx, added: change.op !== Op.RETRACT };
  };
}
