import type { Batch, Vec } from '../core/batch.ts';
import { bitAt } from '../core/bits.ts';
import type { RekeyNode } from '../plan/plan.ts';
import { ComputedColumns } from './computed-columns.ts';
import { maskedColumn } from './masked-column.ts';
import { type Epoch, type OperatorContext, StatelessOperator } from './operator.ts';
import { readColumns } from './read-columns.ts';

/**
 * PARTITION BY: the key expressions in front of the remaining columns. Of a record without value an expression over key
 * columns alone is computed as always, any other is NULL; so are the remaining columns, old key columns among them.
 */
export class Rekey extends StatelessOperator {
  readonly #node: RekeyNode;
  readonly #keys: ComputedColumns;
  readonly #fromKey: readonly boolean[];

  constructor(node: RekeyNode, context: OperatorContext) {
    super(node.id);
    this.#node = node;
    const { schema } = node.input;
    this.#keys = new ComputedColumns(context, schema, node.keys);
    this.#fromKey = node.keys.map(key => readColumns(key).every(i => schema.key.includes(i)));
  }

  override apply(epoch: Epoch, batch: Batch): Batch {
    const { noValue } = batch;
    const given =
      noValue === null
        ? null
        : (expr: number, row: number) => this.#fromKey[expr] === true || !bitAt(noValue, row);
    const keys = this.#keys.of(epoch, batch, given);
    const rest = this.#node.rest.map(c => {
      const vec = batch.cols[c] as Vec;
      return noValue === null ? vec : maskedColumn(vec, batch, row => !bitAt(noValue, row));
    });
    return { ...batch, schema: this.#node.schema, cols: [...keys, ...rest] };
  }
}
