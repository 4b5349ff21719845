import type { Schema } from '../../core/schema.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { vecKind } from '../../core/vec.ts';
import { AVG, AVG_DECIMAL, AVG_OR_NULL } from '../../expr/aggregates/average.ts';
import { COUNT } from '../../expr/aggregates/count.ts';
import { MAX, MIN } from '../../expr/aggregates/extremes.ts';
import { SUM, SUM_OR_NULL } from '../../expr/aggregates/sum.ts';
import type { AggregateFold, FunctionEntry } from '../../expr/functions.ts';
import type { AggregateCall } from '../../plan/plan.ts';
import type { StateTable } from '../../state/state-table.ts';
import type { OperatorContext } from '../operator.ts';
import { RowContext } from '../row-context.ts';
import type { Accumulator } from './accumulator.ts';
import { CountAccumulator } from './count-accumulator.ts';
import { DoubleSumAccumulator } from './double-sum-accumulator.ts';
import { ExtremeAccumulator } from './extreme-accumulator.ts';
import { FoldAccumulator } from './fold-accumulator.ts';
import { SumAccumulator } from './sum-accumulator.ts';

export interface AccumulatorOptions {
  readonly call: AggregateCall;
  readonly context: OperatorContext;
  readonly table: StateTable;
  /** of the rows that are aggregated */
  readonly schema: Schema;
  /** rows are taken away too */
  readonly retracting: boolean;
}

/**
 * The accumulator of a call; declares its columns in the table. The everyday aggregates over plain columns have typed
 * ones, which must equal the fold of the registry; all others run that fold.
 */
export function accumulatorFor(options: AccumulatorOptions): Accumulator {
  const { call, context, table, schema, retracting } = options;
  const plain = context.functions.aggregate(
    call.fn,
    call.args.map(arg => arg.type),
    call.type,
    call.constants,
  );
  const fold = retracting ? (plain.retracting ?? plain) : plain;
  const typed = typedAccumulator(options, fold);
  if (typed !== null) return typed;
  const values = table.column('val');
  const seen = call.distinct ? table.column('val') : null;
  return new FoldAccumulator({ call, fold, schema, context, values, seen });
}

function typedAccumulator(options: AccumulatorOptions, fold: AggregateFold): Accumulator | null {
  const { call, context, table, retracting } = options;
  if (call.distinct || call.filter !== null) return null;
  const columns = call.args.map(arg => (arg.node === 'column' ? arg.index : -1));
  if (columns.includes(-1)) return null;
  const entry = context.functions.find(call.fn);
  if (entry === COUNT) return new CountAccumulator(columns, table.column('f64'));
  const [column] = columns;
  const [arg] = call.args;
  if (column === undefined || arg === undefined || columns.length !== 1) return null;
  const kind = vecKind(arg.type);
  if ((entry === MIN || entry === MAX) && !retracting && kind !== 'str' && kind !== 'val') {
    return new ExtremeAccumulator({
      type: call.type,
      column,
      sign: entry === MIN ? 1 : -1,
      best: table.column(kind),
    });
  }
  if (!isSum(entry) && !isAverage(entry)) return null;
  if (arg.type.kind === 'DOUBLE') {
    if (retracting) return null;
    const [sum, count] = [table.column('f64'), table.column('f64')];
    return new DoubleSumAccumulator({ fold, type: call.type, column, sum, count });
  }
  if (kind !== 'i32' && kind !== 'i64') return null;
  const limit = isSum(entry) ? limitOf(call.type) : null;
  const counts = limit === null || fold.result(fold.init()) === null;
  return new SumAccumulator({
    fold,
    type: call.type,
    column,
    argType: arg.type,
    sum: table.column('f64'),
    count: counts ? table.column('f64') : null,
    large: table.column('rare'),
    limit,
    rows: new RowContext(context, options.schema, []),
  });
}

function isSum(entry: FunctionEntry | undefined): boolean {
  return entry === SUM || entry === SUM_OR_NULL;
}

function isAverage(entry: FunctionEntry | undefined): boolean {
  return entry === AVG || entry === AVG_OR_NULL || entry === AVG_DECIMAL;
}

/** The largest sum of a type that is surely in its range and exact as a double. */
function limitOf(type: SqlType): number {
  if (type.kind === 'INT') return 2 ** 31 - 1;
  if (type.kind === 'DECIMAL' && type.precision < 16) return 10 ** type.precision - 1;
  return Number.MAX_SAFE_INTEGER;
}
