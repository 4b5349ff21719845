import type { Batch, Vec } from '../core/batch.ts';
import { bitAt } from '../core/bits.ts';
import { BIGINT } from '../core/sql-type.ts';
import { gatherVec, VecBuilder } from '../core/vec.ts';
import type { Closure } from '../expr/closure.ts';
import type { TableEvaluator } from '../expr/registry.ts';
import type { ExplodeNode } from '../plan/plan.ts';
import { type Epoch, type OperatorContext, StatelessOperator } from './operator.ts';
import { RowContext } from './row-context.ts';

/**
 * Table functions side by side: as many rows as the longest result, the shorter ones padded with NULL. A record without
 * value gives none.
 */
export class Explode extends StatelessOperator {
  readonly #node: ExplodeNode;
  readonly #rows: RowContext;
  readonly #functions: readonly {
    readonly args: readonly Closure[];
    readonly run: TableEvaluator;
  }[];

  constructor(node: ExplodeNode, context: OperatorContext) {
    super(node.id);
    this.#node = node;
    this.#rows = new RowContext(
      context,
      node.input.schema,
      node.functions.flatMap(f => f.args),
    );
    this.#functions = node.functions.map(f => ({
      args: f.args.map(arg => this.#rows.compile(arg)),
      run: context.functions.table(
        f.fn,
        f.args.map(arg => arg.type),
        f.type,
      ),
    }));
  }

  override apply(epoch: Epoch, batch: Batch): Batch {
    const ctx = this.#rows;
    const origin: number[] = [];
    const built = this.#node.functions.map(f => new VecBuilder(f.type));
    const numbers = this.#node.ordinality ? [new VecBuilder(BIGINT)] : [];
    const n = batch.sel === null ? batch.n : batch.sel.length;
    for (let k = 0; k < n; k++) {
      const i = batch.sel === null ? k : (batch.sel[k] as number);
      if (bitAt(batch.noValue, i)) continue;
      const row = ctx.load(epoch, batch, i);
      const results = this.#functions.map(f =>
        f.run(
          f.args.map(arg => arg(row, ctx)),
          ctx,
        ),
      );
      const rows = results.reduce((most, r) => Math.max(most, r.length), 0);
      for (let r = 0; r < rows; r++) {
        origin.push(i);
        for (const number of numbers) number.pushInteger(r + 1);
        for (let f = 0; f < built.length; f++) (built[f] as VecBuilder).push(results[f]?.[r] ?? null);
      }
    }
    return spread(
      this.#node,
      batch,
      Int32Array.from(origin),
      [...built, ...numbers].map(b => b.build()),
    );
  }
}

/** The rows `origin` of a batch, in that order, with further columns. */
function spread(node: ExplodeNode, batch: Batch, origin: Int32Array, more: readonly Vec[]): Batch {
  const n = origin.length;
  const { op } = batch;
  return {
    schema: node.schema,
    n,
    cols: [...batch.cols.map(col => gatherVec(col, origin, n)), ...more],
    seq: Float64Array.from(origin, i => batch.seq[i] as number),
    rowtime: Float64Array.from(origin, i => batch.rowtime[i] as number),
    op: op === null ? null : Int8Array.from(origin, i => op[i] as number),
    noValue: null,
    sel: null,
  };
}
