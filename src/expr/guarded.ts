import { BugError } from '../core/assert.ts';
import type { Value } from '../core/value.ts';
import type { AggregateFold, EvalContext } from './functions.ts';
import type { TableEvaluator } from './registry.ts';

/** A table function that throws gives no rows and is reported, as a scalar function that throws is NULL. */
export function guardedTable(fn: string, evaluate: TableEvaluator): TableEvaluator {
  return (args, ctx) => {
    try {
      return evaluate(args, ctx);
    } catch (error) {
      report(fn, error, ctx);
      return [];
    }
  };
}

type Step = AggregateFold['add'];

/** An aggregate that throws on a row leaves the accumulator as it was and is reported. */
export function guardedAggregate(fn: string, fold: AggregateFold): AggregateFold {
  const guarded =
    (step: Step): Step =>
    (acc, args, ctx): Value | null => {
      try {
        return step(acc, args, ctx);
      } catch (error) {
        report(fn, error, ctx);
        return acc;
      }
    };
  return {
    ...fold,
    add: guarded(fold.add),
    ...(fold.retract && { retract: guarded(fold.retract) }),
    ...(fold.retracting && { retracting: guardedAggregate(fn, fold.retracting) }),
  };
}

function report(fn: string, error: unknown, ctx: EvalContext): void {
  if (error instanceof BugError) throw error;
  ctx.fail(`${fn}: ${error instanceof Error ? error.message : String(error)}`);
}
