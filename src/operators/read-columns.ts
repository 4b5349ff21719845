import { childrenOf } from '../expr/children.ts';
import type { Expr } from '../expr/expr.ts';

/** Positions of the input columns that an expression reads. */
export function readColumns(expr: Expr): readonly number[] {
  const columns = new Set<number>();
  visit(expr, columns);
  return [...columns];
}

function visit(expr: Expr, columns: Set<number>): void {
  if (expr.node === 'column') columns.add(expr.index);
  for (const child of childrenOf(expr)) visit(child, columns);
}
