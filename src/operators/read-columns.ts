import type { Expr } from '../expr/expr.ts';

/** Positions of the input columns that an expression reads. */
export function readColumns(expr: Expr): readonly number[] {
  const columns = new Set<number>();
  visit(expr, columns);
  return [...columns];
}

/** The parts of an expression, one level down. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.node) {
    case 'literal':
    case 'column':
    case 'rowtime':
    case 'now':
    case 'parameter':
      return [];
    case 'lambda':
      return [expr.body];
    case 'call':
      return expr.args;
    case 'arithmetic':
    case 'compare':
    case 'and':
    case 'or':
      return [expr.left, expr.right];
    case 'negate':
    case 'not':
    case 'isNull':
    case 'cast':
    case 'field':
      return [expr.arg];
    case 'like':
      return [expr.arg, expr.pattern];
    case 'in':
      return [expr.arg, ...expr.list];
    case 'case':
      return [...expr.whens.flatMap(w => [w.when, w.then]), ...(expr.otherwise ? [expr.otherwise] : [])];
    case 'subscript':
      return [expr.arg, expr.index];
    case 'array':
      return expr.items;
    case 'map':
      return expr.entries.flatMap(e => [e.key, e.value]);
    case 'struct':
      return expr.fields;
  }
}

function visit(expr: Expr, columns: Set<number>): void {
  if (expr.node === 'column') columns.add(expr.index);
  for (const child of childrenOf(expr)) visit(child, columns);
}
