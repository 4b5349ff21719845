import { type Change, Op } from '../../core/change.ts';
import { isEventTime } from '../../core/event-time.ts';
import type { ViewPlan } from '../../plan/plan.ts';
import type { FoldNode } from './fold-node.ts';

/**
 * A sink's timestamp column is the event time of the relation's rows, for its readers too. A row whose column is NULL or
 * unreadable is dropped and counted.
 */
export function sinkTime(
  plan: ViewPlan,
  root: FoldNode,
  timestampParser: (format: string) => (text: string) => number | null,
): FoldNode {
  const declared = plan.sink?.timestamp ?? null;
  if (declared === null) return root;
  const index = plan.root.schema.columns.findIndex(c => c.name === declared.column);
  const parse = declared.format === null ? null : timestampParser(declared.format);
  const timeOf = ({ row }: Change): number | null => {
    const value = row[index] ?? null;
    if (typeof value === 'string') return parse === null ? null : parse(value);
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null;
  };
  return {
    deadline: () => root.deadline(),
    step(moment) {
      return root.step(moment).flatMap(change => {
        if (change.noValue || change.op === Op.DELETE) return [change];
        const rowtime = timeOf(change);
        if (rowtime !== null && isEventTime(rowtime)) return [{ ...change, rowtime }];
        moment.ledger('undecodable', `${plan.name}: timestamp column ${declared.column} holds no time`);
        return [];
      });
    },
  };
}
