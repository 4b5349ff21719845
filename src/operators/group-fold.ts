import { assert } from '../core/assert.ts';
import type { Batch } from '../core/batch.ts';
import type { Schema } from '../core/schema.ts';
import type { Value } from '../core/value.ts';
import type { Closure } from '../expr/closure.ts';
import type { AggregateFold } from '../expr/functions.ts';
import type { AggregateCall, AggregateNode } from '../plan/plan.ts';
import type { Epoch, OperatorContext } from './operator.ts';
import { RowContext } from './row-context.ts';

/** The accumulators of one group as values, one per aggregate of the node. */
export type GroupValues = (Value | null)[];

interface Part {
  readonly call: AggregateCall;
  readonly fold: AggregateFold;
  readonly args: readonly Closure[];
  readonly filter: Closure | null;
}

/** Aggregates over groups whose accumulators are values outside of a table: sessions, which merge. */
export class GroupFold {
  readonly #rows: RowContext;
  readonly #parts: readonly Part[];

  constructor(node: AggregateNode, context: OperatorContext) {
    const schema: Schema = node.input.schema;
    const exprs = node.aggregates.flatMap(call => [
      ...call.args,
      ...(call.filter === null ? [] : [call.filter]),
    ]);
    this.#rows = new RowContext(context, schema, exprs);
    this.#parts = node.aggregates.map(call => {
      assert(!call.distinct, 'DISTINCT aggregates over sessions cannot merge');
      return {
        call,
        fold: context.functions.aggregate(
          call.fn,
          call.args.map(arg => arg.type),
          call.type,
          call.constants,
        ),
        args: call.args.map(arg => this.#rows.compile(arg)),
        filter: call.filter === null ? null : this.#rows.compile(call.filter),
      };
    });
  }

  init(): GroupValues {
    return this.#parts.map(part => part.fold.init());
  }

  add(group: GroupValues, epoch: Epoch, batch: Batch, i: number): void {
    const row = this.#rows.load(epoch, batch, i);
    for (const [p, part] of this.#parts.entries()) {
      if (part.filter !== null && part.filter(row, this.#rows) !== true) continue;
      const args = part.args.map(arg => arg(row, this.#rows));
      group[p] = part.fold.add(group[p] ?? null, args, this.#rows);
    }
  }

  /** Both groups as one; `a` holds the earlier rows. Neither may be used afterwards. */
  merge(a: GroupValues, b: GroupValues): GroupValues {
    return this.#parts.map(({ call, fold }, p) => {
      assert(fold.merge, `${call.fn} cannot merge sessions`);
      return fold.merge(a[p] ?? null, b[p] ?? null);
    });
  }

  results(group: GroupValues): (Value | null)[] {
    return this.#parts.map(({ fold }, p) => fold.result(group[p] ?? null));
  }
}
