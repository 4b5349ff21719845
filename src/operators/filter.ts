import type { Batch } from '../core/batch.ts';
import { bitAt } from '../core/bits.ts';
import { Op } from '../core/change.ts';
import type { Closure } from '../expr/closure.ts';
import { type GeneratedPredicate, generatePredicate } from '../expr/generate.ts';
import type { FilterNode } from '../plan/plan.ts';
import { type Epoch, type OperatorContext, StatelessOperator } from './operator.ts';
import { RowContext } from './row-context.ts';

/**
 * Keeps changes whose row passes: + and - of a row fall alike, so the difference of two relations is kept exactly. Over
 * upsert a row that fails takes its key away (a DELETE, perhaps of nothing), but not above EMIT FINAL, which gives each row
 * once. A record without value never passes.
 */
export class Filter extends StatelessOperator {
  readonly #node: FilterNode;
  readonly #rows: RowContext;
  readonly #predicate: Closure;
  /** the predicate over columns, where it can be generated */
  readonly #generated: GeneratedPredicate | null;

  constructor(node: FilterNode, context: OperatorContext) {
    super(node.id);
    this.#node = node;
    this.#rows = new RowContext(context, node.input.schema, [node.predicate]);
    this.#predicate = this.#rows.compile(node.predicate);
    this.#generated = context.generatedCode ? generatePredicate(node.predicate) : null;
  }

  override apply(epoch: Epoch, batch: Batch): Batch {
    const n = batch.sel === null ? batch.n : batch.sel.length;
    const kept = new Int32Array(n);
    let count = 0;
    let op = batch.op;
    const test = this.#generated?.(batch.cols) ?? null;
    for (let k = 0; k < n; k++) {
      const i = batch.sel === null ? k : (batch.sel[k] as number);
      const what = op === null ? Op.ADD : (op[i] as Op);
      if (what === Op.DELETE) kept[count++] = i;
      else if (bitAt(batch.noValue, i)) continue;
      else if (test !== null ? test(i) : this.#passes(epoch, batch, i)) kept[count++] = i;
      else if (what === Op.UPSERT && this.#node.input.node !== 'emitFinal') {
        if (op === batch.op) op = Int8Array.from(batch.op as Int8Array);
        (op as Int8Array)[i] = Op.DELETE;
        kept[count++] = i;
      }
    }
    const sel = count === batch.n ? null : kept.subarray(0, count);
    return { ...batch, schema: this.#node.schema, op, sel };
  }

  #passes(epoch: Epoch, batch: Batch, i: number): boolean {
    return this.#predicate(this.#rows.load(epoch, batch, i), this.#rows) === true;
  }
}
