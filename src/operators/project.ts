import type { Batch } from '../core/batch.ts';
import { bitAt } from '../core/bits.ts';
import { Op } from '../core/change.ts';
import type { ProjectNode } from '../plan/plan.ts';
import { ComputedColumns } from './computed-columns.ts';
import { type Epoch, type OperatorContext, StatelessOperator } from './operator.ts';

/**
 * New columns from each row: linear, so + and - pass as they are. Of a DELETE and of a stream's record without value only
 * the key columns are computed.
 */
export class Project extends StatelessOperator {
  readonly #node: ProjectNode;
  readonly #columns: ComputedColumns;
  readonly #inKey: readonly boolean[];

  constructor(node: ProjectNode, context: OperatorContext) {
    super(node.id);
    this.#node = node;
    this.#columns = new ComputedColumns(context, node.input.schema, node.columns);
    this.#inKey = node.columns.map((_, i) => node.schema.key.includes(i));
  }

  override apply(epoch: Epoch, batch: Batch): Batch {
    const { op, noValue } = batch;
    const bare = (i: number) => (op !== null && op[i] === Op.DELETE) || bitAt(noValue, i);
    const given =
      op === null && noValue === null
        ? null
        : (expr: number, row: number) => this.#inKey[expr] === true || !bare(row);
    return { ...batch, schema: this.#node.schema, cols: this.#columns.of(epoch, batch, given) };
  }
}
