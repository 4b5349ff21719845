import type { SqlType } from '../../core/sql-type.ts';
import { completeAggregate } from '../../expr/aggregates/complete.ts';
import type { Expr } from '../../expr/expr.ts';
import type { AggregateFunction } from '../../expr/functions.ts';
import type { ArgumentType } from '../../expr/registry.ts';
import { coerceTo, UNTYPED_NULL } from './coerce.ts';
import type { ExpressionResolver } from './expression.ts';

export function valueArgument(expr: Expr): ArgumentType {
  return { kind: 'value', type: expr === UNTYPED_NULL ? null : expr.type };
}

/** As the parameter's type; resolution has said that it fits. */
export function asArgument(expr: Expr, type: SqlType): Expr {
  return coerceTo(expr, type) ?? { node: 'cast', type, arg: expr };
}

/** In full SQL an aggregate of nothing is NULL, and AVG over DECIMAL is DECIMAL. */
export function chosenAggregate(
  r: ExpressionResolver,
  entry: AggregateFunction,
  args: readonly Expr[],
): AggregateFunction {
  if (r.strict) return entry;
  const name = completeAggregate(
    entry.name,
    args.map(arg => arg.type),
  );
  const found = r.context.functions.find(name);
  return found?.kind === 'aggregate' ? found : entry;
}
