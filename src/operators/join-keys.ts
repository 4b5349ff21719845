import type { Batch, Vec } from '../core/batch.ts';
import { bitAt } from '../core/bits.ts';
import type { Schema } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import { VecBuilder, valueAt } from '../core/vec.ts';
import type { Closure } from '../expr/closure.ts';
import type { Expr } from '../expr/expr.ts';
import { KeyEncoder } from './key-encoder.ts';
import type { Epoch, OperatorContext } from './operator.ts';
import { RowContext } from './row-context.ts';

/**
 * The key on which the rows of one input of a join meet the other's, as columns beside the batch. Failures of the key's
 * expressions wait until their row is taken, so that the ledger has all entries of a row together.
 */
export class JoinKeys {
  readonly encoder: KeyEncoder;
  /** the key of the batch begun, at its physical rows */
  vecs: readonly Vec[] = [];
  readonly #id: string;
  readonly #exprs: readonly Expr[];
  readonly #context: OperatorContext;
  readonly #rows: RowContext;
  readonly #closures: readonly Closure[];
  /** all keys are columns of the input: nothing is computed, nothing fails */
  readonly #plain: boolean;
  readonly #failures = new Map<number, string[]>();
  #current: string[] = [];

  constructor(id: string, context: OperatorContext, schema: Schema, exprs: readonly Expr[]) {
    this.#id = id;
    this.#exprs = exprs;
    this.#context = context;
    this.encoder = new KeyEncoder(exprs.map(e => e.type));
    this.#rows = new RowContext(
      { ...context, reject: (_, __, message) => this.#current.push(message) },
      schema,
      exprs,
    );
    this.#closures = exprs.map(e => this.#rows.compile(e));
    this.#plain = exprs.every(e => e.node === 'column');
  }

  /** `wanted`: rows whose key will be asked for; records without value have none. */
  begin(epoch: Epoch, batch: Batch, wanted: (i: number) => boolean = () => true): void {
    this.#failures.clear();
    this.vecs = this.#plain
      ? this.#exprs.map(e => batch.cols[e.node === 'column' ? e.index : -1] as Vec)
      : this.#compute(epoch, batch, wanted);
    this.encoder.begin(this.vecs);
  }

  #compute(epoch: Epoch, batch: Batch, wanted: (i: number) => boolean): readonly Vec[] {
    const built = this.#exprs.map(e => new VecBuilder(e.type, batch.n));
    const n = batch.sel === null ? batch.n : batch.sel.length;
    for (let k = 0; k < n; k++) {
      const i = batch.sel === null ? k : (batch.sel[k] as number);
      if (bitAt(batch.noValue, i) || !wanted(i)) continue;
      const row = this.#rows.load(epoch, batch, i);
      for (let c = 0; c < built.length; c++) {
        (built[c] as VecBuilder).set(i, (this.#closures[c] as Closure)(row, this.#rows));
      }
      if (this.#current.length === 0) continue;
      this.#failures.set(i, this.#current);
      this.#current = [];
    }
    return built.map(b => b.build(batch.n));
  }

  /** Whether every row of the batch begun may meet others, with nothing to count. */
  allPresent(batch: Batch): boolean {
    if (batch.noValue !== null || this.#failures.size > 0) return false;
    return this.vecs.every(vec => vec.t !== 'val' && vec.nulls === null);
  }

  /** Whether row i may meet others; counted when it may not: it has no value, or a NULL in its key. */
  present(batch: Batch, i: number): boolean {
    const seq = batch.seq[i] as number;
    if (bitAt(batch.noValue, i)) {
      this.#context.reject('null_key', seq, `${this.#id}: record without value`);
      return false;
    }
    this.report(seq, i);
    if (!this.encoder.hasNull(i)) return true;
    this.#context.reject('null_key', seq, `${this.#id}: NULL in the join key`);
    return false;
  }

  /** Counts what failed when the key of row i was computed. */
  report(seq: number, i: number): void {
    if (this.#failures.size === 0) return;
    for (const message of this.#failures.get(i) ?? []) {
      this.#context.reject('expression_failed', seq, message);
    }
  }

  values(i: number): Row {
    return this.#exprs.map((e, c) => valueAt(this.vecs[c] as Vec, e.type, i));
  }
}
