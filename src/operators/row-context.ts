import type { Batch, Vec } from '../core/batch.ts';
import type { Column, Schema } from '../core/schema.ts';
import type { Row, Value } from '../core/value.ts';
import { valueAt } from '../core/vec.ts';
import { type Closure, compileExpr } from '../expr/closure.ts';
import type { Expr } from '../expr/expr.ts';
import type { EvalContext } from '../expr/functions.ts';
import { clockAt, type Epoch, type OperatorContext } from './operator.ts';
import { readColumns } from './read-columns.ts';

/**
 * The rows of batches as closures see them. One array is filled again for each row, with the columns that the
 * expressions read; closures never keep it.
 */
export class RowContext implements EvalContext {
  now = 0;
  rowtime = 0;
  seq = 0;
  readonly zone: string;
  readonly #context: OperatorContext;
  readonly #schema: Schema;
  readonly #needed: readonly number[];
  readonly #row: (Value | null)[];

  constructor(context: OperatorContext, schema: Schema, exprs: readonly Expr[]) {
    this.#context = context;
    this.zone = context.zone;
    this.#schema = schema;
    this.#needed = [...new Set(exprs.flatMap(readColumns))];
    this.#row = schema.columns.map(() => null);
  }

  compile(expr: Expr): Closure {
    return compileExpr(expr, this.#context.functions);
  }

  /** Makes physical row i of a batch the current row. */
  load(epoch: Epoch, batch: Batch, i: number): Row {
    const row = this.#row;
    const { columns } = this.#schema;
    for (const c of this.#needed) {
      row[c] = valueAt(batch.cols[c] as Vec, (columns[c] as Column).type, i);
    }
    this.rowtime = batch.rowtime[i] as number;
    this.seq = batch.seq[i] as number;
    this.now = clockAt(epoch, this.seq);
    return row;
  }

  fail(message: string): null {
    this.#context.reject('expression_failed', this.seq, message);
    return null;
  }
}
