import type { SqlType } from '../../../src/core/sql-type.ts';
import { BOOLEAN } from '../../../src/core/sql-type.ts';
import type { Row, Value } from '../../../src/core/value.ts';
import { compileExpr } from '../../../src/expr/closure.ts';
import { arithmeticType } from '../../../src/expr/coercion.ts';
import type { ArithmeticOp, CompareOp, Expr } from '../../../src/expr/expr.ts';
import { createRegistry } from '../../../src/expr/function-registry.ts';
import type { EvalContext } from '../../../src/expr/functions.ts';
import type { FunctionRegistry } from '../../../src/expr/registry.ts';

/** Short ways to write expressions in tests. */
export const literal = (type: SqlType, value: Value | null): Expr => ({ node: 'literal', type, value });
export const column = (type: SqlType, index: number): Expr => ({
  node: 'column',
  type,
  index,
  name: `C${index}`,
});
export const cast = (arg: Expr, type: SqlType): Expr => ({ node: 'cast', type, arg });
export const compare = (op: CompareOp, left: Expr, right: Expr): Expr => ({
  node: 'compare',
  type: BOOLEAN,
  op,
  left,
  right,
});

export function arithmetic(op: ArithmeticOp, left: Expr, right: Expr): Expr {
  const type = arithmeticType(op, left.type, right.type);
  if (!type) throw new Error(`no ${op} of these types`);
  return { node: 'arithmetic', type, op, left, right };
}

export interface Context extends EvalContext {
  readonly failures: string[];
}

export function context(overrides: Partial<EvalContext> = {}): Context {
  const failures: string[] = [];
  return {
    now: 1000,
    rowtime: 2000,
    seq: 0,
    zone: 'UTC',
    ...overrides,
    failures,
    fail(message) {
      failures.push(message);
      return null;
    },
  };
}

const noFunctions = createRegistry([]);

/** The value of an expression on a row; a reported failure stands as the text `! message`. */
export function evaluate(
  expr: Expr,
  row: Row = [],
  registry: FunctionRegistry = noFunctions,
): Value | null | `! ${string}` {
  const ctx = context();
  const value = compileExpr(expr, registry)(row, ctx);
  return ctx.failures.length === 0 ? value : `! ${ctx.failures.join('; ')}`;
}
