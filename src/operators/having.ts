import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { FilterNode } from '../plan/plan.ts';
import type { Aggregate } from './aggregate.ts';
import { Filter } from './filter.ts';
import type { Epoch, OperatorContext } from './operator.ts';

/**
 * A filter right above an aggregate. It knows from the aggregate's table which groups have a row outside, so that a group
 * that never passed is not deleted with every change: HAVING deletes on leaving.
 */
export class Having extends Filter {
  readonly #aggregate: Aggregate;

  constructor(node: FilterNode, context: OperatorContext, aggregate: Aggregate) {
    super(node, context);
    this.#aggregate = aggregate;
    aggregate.tracksShown();
  }

  override apply(epoch: Epoch, batch: Batch): Batch {
    const out = super.apply(epoch, batch);
    const { op } = out;
    const shown = this.#aggregate.shown;
    const n = out.sel === null ? out.n : out.sel.length;
    const kept = new Int32Array(n);
    let count = 0;
    for (let k = 0; k < n; k++) {
      const i = out.sel === null ? k : (out.sel[k] as number);
      const slot = this.#aggregate.slotOf(i);
      const passes = op?.[i] === Op.UPSERT;
      if (!passes && shown[slot] !== 1) continue;
      shown[slot] = passes ? 1 : 0;
      kept[count++] = i;
    }
    return { ...out, sel: kept.subarray(0, count) };
  }
}
