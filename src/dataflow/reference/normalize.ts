import { type Change, Op } from '../../core/change.ts';
import type { NormalizeNode } from '../../plan/plan.ts';
import type { FoldNode } from './fold-node.ts';
import { keyTextOf } from './key-columns.ts';

/**
 * Upsert to retract: each change of a key gives - the row it had, + the row it has. The - carries the event time at which
 * the row was added, so that whatever was computed from it can be taken away exactly.
 */
export function normalize(node: NormalizeNode, input: FoldNode): FoldNode {
  const keyText = keyTextOf(node.input.schema);
  const rows = new Map<string, Change>();
  return {
    deadline: () => input.deadline(),
    step(moment) {
      return input.step(moment).flatMap((change): Change[] => {
        const key = keyText(change.row);
        const old = rows.get(key);
        const out: Change[] = [];
        if (old !== undefined) out.push({ ...old, op: Op.RETRACT, seq: change.seq });
        if (change.op === Op.DELETE) rows.delete(key);
        else {
          const added = { ...change, op: Op.ADD };
          rows.set(key, added);
          out.push(added);
        }
        return out;
      });
    },
  };
}
