import type { SqlType } from '../core/sql-type.ts';
import type { Expr } from './expr.ts';

/**
 * Whether an expression may report a failure. Where rows are merged within an epoch, such an expression must not stand
 * above: its ledger entries would depend on how the log is cut. Nor may other rows than were meant be given to it.
 */
export function canFail(expr: Expr): boolean {
  switch (expr.node) {
    case 'literal':
    case 'column':
    case 'rowtime':
      return false;
    case 'compare':
    case 'and':
    case 'or':
      return canFail(expr.left) || canFail(expr.right);
    case 'not':
    case 'isNull':
    case 'field':
      return canFail(expr.arg);
    case 'in':
      return canFail(expr.arg) || expr.list.some(canFail);
    case 'case':
      return (
        expr.whens.some(w => canFail(w.when) || canFail(w.then)) ||
        (expr.otherwise !== null && canFail(expr.otherwise))
      );
    case 'cast':
      return !widens(expr.arg.type, expr.type) || canFail(expr.arg);
    default:
      return true;
  }
}

function widens(from: SqlType, to: SqlType): boolean {
  if (from.kind === to.kind) return from.kind !== 'DECIMAL';
  if (to.kind === 'BIGINT') return from.kind === 'INT';
  return to.kind === 'DOUBLE' && (from.kind === 'INT' || from.kind === 'BIGINT');
}
