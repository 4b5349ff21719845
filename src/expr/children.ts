import { unreachable } from '../core/assert.ts';
import type { Expr } from './expr.ts';

/** The direct parts of an expression, in the order in which they stand. */
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
    default:
      return unreachable(expr);
  }
}
