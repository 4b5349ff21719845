import type { Schema } from '../../core/schema.ts';
import type { Expr } from '../../expr/expr.ts';
import type { JoinSide, OverSide, WindowFunctionCall } from './resolved-query.ts';
import type { WindowOrder } from './window-calls.ts';

/** The expressions that are computed before the functions, each in a column: partition, order, arguments and filters. */
export function computedFor({
  partition,
  order,
  functions,
}: Pick<OverSide, 'partition' | 'order' | 'functions'>): readonly Expr[] {
  const read = functions.flatMap(f => (f.filter ? [...f.args, f.filter] : f.args));
  return [...partition, ...order.map(o => o.expr), ...read];
}

/** The rows of a side with the results of functions over one order; they are the last columns. */
export function overSide(
  input: JoinSide,
  { partition, order }: WindowOrder,
  functions: readonly WindowFunctionCall[],
): OverSide {
  const parts = { partition, order, functions };
  const computed = computedFor(parts).map(({ type }, i) => ({ name: `over_${i}`, type }));
  const results = functions.map(({ fn, type }, i) => ({ name: `${fn}_${i}`, type }));
  const columns = [...input.schema.columns, ...computed, ...results];
  const schema: Schema = { ...input.schema, columns };
  return { kind: 'over', input, ...parts, schema };
}

/** Where the results stand. */
export function resultsOf({ schema, functions }: OverSide): readonly Expr[] {
  const first = schema.columns.length - functions.length;
  return functions.map(({ type, fn }, i) => ({ node: 'column', type, index: first + i, name: fn }));
}
