import { DOUBLE, decimal, MAX_PRECISION, type SqlType } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';

/**
 * Rounding in complete SQL is PostgreSQL's: halves of a DECIMAL go away from zero, halves of a DOUBLE to the even number,
 * and CAST to a whole number rounds. In KSQL halves go up (-1.5 becomes -1), and CAST cuts.
 */

/** What CAST to INT or BIGINT then takes: the nearest whole number. */
export function rounded(arg: Expr): Expr {
  if (arg.type.kind === 'DECIMAL') return toScale(arg, arg.type, 0);
  return arg.type.kind === 'DOUBLE'
    ? { node: 'call', type: DOUBLE, fn: 'ROUND_EVEN', args: [arg], site: 0 }
    : arg;
}

/** ROUND(x) and ROUND(x, places); null where KSQL's function gives the same or places are no constant. */
export function standardRound(args: readonly (Expr | null)[]): Expr | null {
  const [arg, places] = args;
  if (!arg || args.length > 2) return null;
  if (args.length === 1) {
    return arg.type.kind === 'DECIMAL' || arg.type.kind === 'DOUBLE' ? rounded(arg) : null;
  }
  const constant = places?.node === 'literal' && typeof places.value === 'number' ? places.value : -1;
  return arg.type.kind === 'DECIMAL' && constant >= 0 ? toScale(arg, arg.type, constant) : null;
}

/** With as many places, halves away from zero; a carry needs one more digit in front. */
function toScale(arg: Expr, from: Extract<SqlType, { kind: 'DECIMAL' }>, scale: number): Expr {
  if (scale >= from.scale) return arg;
  const precision = Math.min(MAX_PRECISION, from.precision - from.scale + 1 + scale);
  return { node: 'cast', type: decimal(precision, scale), arg };
}
