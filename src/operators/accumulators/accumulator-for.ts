import type { Schema } from '../../core/schema.ts';
import type { AggregateCall } from '../../plan/plan.ts';
import type { StateTable } from '../../state/state-table.ts';
import type { OperatorContext } from '../operator.ts';
import type { Accumulator } from './accumulator.ts';
import { FoldAccumulator } from './fold-accumulator.ts';

export interface AccumulatorOptions {
  readonly call: AggregateCall;
  readonly context: OperatorContext;
  readonly table: StateTable;
  /** of the rows that are aggregated */
  readonly schema: Schema;
  /** rows are taken away too */
  readonly retracting: boolean;
}

/** The accumulator of a call; declares its columns in the table. */
export function accumulatorFor(options: AccumulatorOptions): Accumulator {
  const { call, context, table, schema, retracting } = options;
  const plain = context.functions.aggregate(
    call.fn,
    call.args.map(arg => arg.type),
    call.type,
    call.constants,
  );
  const fold = retracting ? (plain.retracting ?? plain) : plain;
  const values = table.column('val');
  const seen = call.distinct ? table.column('val') : null;
  return new FoldAccumulator({ call, fold, schema, context, values, seen });
}
