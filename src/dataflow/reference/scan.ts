import { type Change, Op } from '../../core/change.ts';
import { WRITTEN_BY } from '../../core/log-record.ts';
import type { RowDecoder } from '../../decode/row-decoder.ts';
import type { ScanNode } from '../../plan/plan.ts';
import type { FoldNode } from './fold-node.ts';
import { keyOnly } from './key-columns.ts';

/**
 * One record of the source's topic is one change: ADD of a stream, UPSERT of a table, DELETE for a table's record
 * without value. What cannot be decoded goes to the ledger. Records that a view wrote into its own topic are none from outside.
 */
export function scan(node: ScanNode, decode: RowDecoder): FoldNode {
  const { source, schema } = node;
  return {
    deadline: () => null,
    step(moment) {
      if (moment.record.topic !== source.topic) return [];
      if (node.outside && moment.record.headers.some(h => h.name === WRITTEN_BY)) return [];
      const decoded = decode(moment.record);
      if (!decoded.ok) {
        moment.unreadable(decoded.reason, decoded.message);
        return [];
      }
      const { row, rowtime, noValue } = decoded;
      const change = (op: Op): Change => ({ op, seq: moment.seq, rowtime, row, noValue: false });
      if (source.kind === 'stream') return [{ ...change(Op.ADD), noValue }];
      return [noValue ? { ...change(Op.DELETE), row: keyOnly(row, schema) } : change(Op.UPSERT)];
    },
  };
}
