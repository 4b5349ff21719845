import type { Batch, Vec } from '../core/batch.ts';
import type { Schema } from '../core/schema.ts';
import { VecBuilder } from '../core/vec.ts';
import type { Closure } from '../expr/closure.ts';
import type { Expr } from '../expr/expr.ts';
import { maskedColumn } from './masked-column.ts';
import type { Epoch, OperatorContext } from './operator.ts';
import { RowContext } from './row-context.ts';

/**
 * Columns computed from the rows of a batch, at the same physical rows. A plain column is handed on as it is; the others
 * are computed row by row in order, so that failures are reported in order.
 */
export class ComputedColumns {
  readonly #exprs: readonly Expr[];
  readonly #rows: RowContext;
  readonly #closures: readonly Closure[];
  readonly #computed: readonly number[];

  constructor(context: OperatorContext, schema: Schema, exprs: readonly Expr[]) {
    this.#exprs = exprs;
    this.#rows = new RowContext(context, schema, exprs.filter(isComputed));
    this.#closures = exprs.map(e => this.#rows.compile(e));
    this.#computed = [...exprs.keys()].filter(i => isComputed(exprs[i] as Expr));
  }

  /**
   * `given(expression, row)`: false leaves NULL without computing it; a plain column is NULL there for records without
   * value, while of a DELETE only the key counts.
   */
  of(epoch: Epoch, batch: Batch, given: ((expr: number, row: number) => boolean) | null = null): Vec[] {
    const built = this.#computed.map(i => new VecBuilder((this.#exprs[i] as Expr).type, batch.n));
    if (built.length > 0) {
      const { sel } = batch;
      const n = sel === null ? batch.n : sel.length;
      for (let k = 0; k < n; k++)
        this.#compute(epoch, batch, sel === null ? k : (sel[k] as number), built, given);
    }
    let next = 0;
    return this.#exprs.map((expr, e) => {
      if (expr.node !== 'column') return (built[next++] as VecBuilder).build(batch.n);
      const vec = batch.cols[expr.index] as Vec;
      return given === null || batch.noValue === null ? vec : maskedColumn(vec, batch, row => given(e, row));
    });
  }

  #compute(
    epoch: Epoch,
    batch: Batch,
    i: number,
    built: readonly VecBuilder[],
    given: ((expr: number, row: number) => boolean) | null,
  ): void {
    const row = this.#rows.load(epoch, batch, i);
    for (let k = 0; k < built.length; k++) {
      const at = this.#computed[k] as number;
      const closure = this.#closures[at] as Closure;
      const value = given === null || given(at, i) ? closure(row, this.#rows) : null;
      (built[k] as VecBuilder).set(i, value);
    }
  }
}

function isComputed(expr: Expr): boolean {
  return expr.node !== 'column';
}
