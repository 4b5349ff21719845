import { type Change, Op } from '../../core/change.ts';
import type { Schema } from '../../core/schema.ts';
import type { FoldNode } from './fold-node.ts';
import { keyTextOf } from './key-columns.ts';

/**
 * Changes of a keyed relation without DELETEs of keys that have no row: a row that never passed HAVING or WHERE, a
 * tombstone of an unknown key.
 */
export function present(schema: Schema, root: FoldNode): FoldNode {
  const keyText = keyTextOf(schema);
  const keys = new Set<string>();
  const isNews = ({ op, row }: Change): boolean => {
    const key = keyText(row);
    if (op === Op.DELETE) return keys.delete(key);
    keys.add(key);
    return true;
  };
  return {
    deadline: () => root.deadline(),
    step: moment => root.step(moment).filter(isNews),
  };
}
