import { assert } from '../../core/assert.ts';
import type { Batch, Vec } from '../../core/batch.ts';
import type { Schema } from '../../core/schema.ts';
import type { Row, Value } from '../../core/value.ts';
import { VecBuilder } from '../../core/vec.ts';
import type { Closure } from '../../expr/closure.ts';
import type { AggregateFold } from '../../expr/functions.ts';
import { rowKey } from '../../expr/value-key.ts';
import type { AggregateCall } from '../../plan/plan.ts';
import type { GrowingColumn } from '../../state/growing-column.ts';
import type { Epoch, OperatorContext } from '../operator.ts';
import { RowContext } from '../row-context.ts';
import type { Accumulator, Pairs } from './accumulator.ts';

export interface FoldAccumulatorOptions {
  readonly call: AggregateCall;
  readonly fold: AggregateFold;
  readonly schema: Schema;
  readonly context: OperatorContext;
  /** accumulators of the fold */
  readonly values: GrowingColumn;
  /** for DISTINCT: per group how often each argument row is there */
  readonly seen: GrowingColumn | null;
}

/** Any aggregate, by its fold over values: arguments and FILTER are computed row by row, when the row enters a group. */
export class FoldAccumulator implements Accumulator {
  readonly #call: AggregateCall;
  readonly #fold: AggregateFold;
  readonly #rows: RowContext;
  readonly #args: readonly Closure[];
  readonly #filter: Closure | null;
  readonly #values: GrowingColumn;
  readonly #seen: GrowingColumn | null;
  readonly #argsText: (row: Row) => string;
  readonly #out: VecBuilder;
  #epoch: Epoch | null = null;
  #batch: Batch | null = null;

  constructor({ call, fold, schema, context, values, seen }: FoldAccumulatorOptions) {
    this.#call = call;
    this.#fold = fold;
    this.#rows = new RowContext(
      context,
      schema,
      call.filter === null ? call.args : [...call.args, call.filter],
    );
    this.#args = call.args.map(arg => this.#rows.compile(arg));
    this.#filter = call.filter === null ? null : this.#rows.compile(call.filter);
    this.#values = values;
    this.#seen = seen;
    this.#argsText = rowKey(call.args.map(arg => arg.type));
    this.#out = new VecBuilder(call.type);
  }

  reset(slot: number): void {
    this.#values.values[slot] = this.#fold.init();
    if (this.#seen !== null) this.#seen.values[slot] = new Map<string, number>();
  }

  begin(epoch: Epoch, batch: Batch): void {
    this.#epoch = epoch;
    this.#batch = batch;
  }

  absorb(pairs: Pairs, from: number, to: number): void {
    for (let k = from; k < to; k++) {
      this.#change(pairs.slot[k] as number, pairs.row[k] as number, (pairs.sign[k] as number) > 0);
    }
  }

  #change(slot: number, i: number, added: boolean): void {
    const row = this.#rows.load(this.#epoch as Epoch, this.#batch as Batch, i);
    if (this.#filter !== null && this.#filter(row, this.#rows) !== true) return;
    const args = this.#args.map(arg => arg(row, this.#rows));
    if (this.#seen !== null) {
      if (args.includes(null)) return;
      const seen = this.#seen.values[slot] as Map<string, number>;
      if (count(seen, this.#argsText(args), added ? 1 : -1) !== (added ? 1 : 0)) return;
    }
    const { values } = this.#values;
    const acc = values[slot] as Value | null;
    if (added) values[slot] = this.#fold.add(acc, args, this.#rows);
    else {
      const { retract } = this.#fold;
      assert(retract, `${this.#call.fn} cannot take rows away`);
      values[slot] = retract(acc, args, this.#rows);
    }
  }

  merge(into: number, from: number): void {
    assert(this.#fold.merge && this.#seen === null, `${this.#call.fn} cannot merge groups`);
    const { values } = this.#values;
    values[into] = this.#fold.merge(values[into] as Value | null, values[from] as Value | null);
  }

  push(slot: number): void {
    this.#out.push(this.#fold.result(this.#values.values[slot] as Value | null));
  }

  pushAll(slots: Int32Array, n: number): void {
    for (let k = 0; k < n; k++) this.push(slots[k] as number);
  }

  pushNull(): void {
    this.#out.push(null);
  }

  take(): Vec {
    const vec = this.#out.build();
    this.#out.restart(0);
    return vec;
  }
}

function count(seen: Map<string, number>, key: string, by: 1 | -1): number {
  const now = (seen.get(key) ?? 0) + by;
  if (now === 0) seen.delete(key);
  else seen.set(key, now);
  return now;
}
