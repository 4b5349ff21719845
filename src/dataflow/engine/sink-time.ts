import type { Batch, Vec } from '../../core/batch.ts';
import { bitAt } from '../../core/bits.ts';
import { Op } from '../../core/change.ts';
import { isEventTime } from '../../core/event-time.ts';
import type { Column } from '../../core/schema.ts';
import { valueAt } from '../../core/vec.ts';
import type { ViewPlan } from '../../plan/plan.ts';
import type { Reject } from './source-scans.ts';

/**
 * A sink's timestamp column is the event time of the relation's rows, for its readers too. A row whose column is NULL or
 * unreadable is dropped and counted. Null when the sink has no such column.
 */
export function sinkTime(
  plan: ViewPlan,
  timestampParser: (format: string) => (text: string) => number | null,
  reject: Reject,
): ((batch: Batch) => Batch) | null {
  const declared = plan.sink?.timestamp ?? null;
  if (declared === null) return null;
  const { columns } = plan.root.schema;
  const index = columns.findIndex(c => c.name === declared.column);
  const type = (columns[index] as Column).type;
  const parse = declared.format === null ? null : timestampParser(declared.format);
  const timeOf = (batch: Batch, i: number): number | null => {
    const value = valueAt(batch.cols[index] as Vec, type, i);
    if (typeof value === 'string') return parse === null ? null : parse(value);
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null;
  };
  return batch => {
    const n = batch.sel === null ? batch.n : batch.sel.length;
    const rowtime = Float64Array.from(batch.rowtime);
    const kept = new Int32Array(n);
    let count = 0;
    for (let k = 0; k < n; k++) {
      const i = batch.sel === null ? k : (batch.sel[k] as number);
      if (!bitAt(batch.noValue, i) && batch.op?.[i] !== Op.DELETE) {
        const time = timeOf(batch, i);
        if (time === null || !isEventTime(time)) {
          const message = `${plan.name}: timestamp column ${declared.column} holds no time`;
          reject('undecodable', batch.seq[i] as number, message);
          continue;
        }
        rowtime[i] = time;
      }
      kept[count++] = i;
    }
    return { ...batch, rowtime, sel: kept.subarray(0, count) };
  };
}
