import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { KeyedNode } from '../plan/plan.ts';
import { type Epoch, StatelessOperator } from './operator.ts';

/** Retract to upsert, where a key never has two rows: + sets the row of its key, - takes it away. */
export class Keyed extends StatelessOperator {
  readonly #node: KeyedNode;

  constructor(node: KeyedNode) {
    super(node.id);
    this.#node = node;
  }

  override apply(_: Epoch, batch: Batch): Batch {
    const op = new Int8Array(batch.n);
    for (let i = 0; i < batch.n; i++) op[i] = batch.op?.[i] === Op.RETRACT ? Op.DELETE : Op.UPSERT;
    return { ...batch, schema: this.#node.schema, op };
  }
}
