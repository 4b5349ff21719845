import { canWiden } from '../../expr/coercion.ts';
import type { Expr } from '../../expr/expr.ts';
import { columnsOf, renumber } from './expr-tree.ts';
import type { JoinSide } from './resolved-query.ts';

type Equality = Extract<Expr, { node: 'compare' }>;

/**
 * Joins without an equality get those of WHERE that compare a column of one side with one of the other: FROM a, b WHERE
 * a.id = b.id. WHERE keeps them too. Inner joins are helped, and what an outer join preserves.
 */
export function withWhereKeys(side: JoinSide, conditions: readonly Expr[]): JoinSide {
  const equalities = conditions.flatMap(c =>
    c.node === 'compare' && c.op === '=' && isPlain(c.left) && isPlain(c.right) ? [c] : [],
  );
  return equalities.length === 0 ? side : keyed(side, equalities);
}

function keyed(side: JoinSide, equalities: readonly Equality[]): JoinSide {
  if (side.kind !== 'join') return side;
  const { join } = side;
  const { type } = join;
  const width = join.left.schema.columns.length;
  const isLeft = (expr: Expr) => [...columnsOf(expr)].every(i => i < width);
  const isRight = (expr: Expr) => [...columnsOf(expr)].every(i => i >= width);
  const onRight = (expr: Expr) => renumber(expr, i => i - width);
  const lefts = equalities.filter(isLeft);
  const rights = equalities
    .filter(isRight)
    .map((e): Equality => ({ ...e, left: onRight(e.left), right: onRight(e.right) }));
  const sides = {
    ...join,
    left: type === 'inner' || type === 'left' ? keyed(join.left, lefts) : join.left,
    right: type === 'inner' || type === 'right' ? keyed(join.right, rights) : join.right,
  };
  if (join.node !== 'equiJoin' || type !== 'inner' || join.leftKeys.length > 0)
    return { ...side, join: sides };
  const pairs = equalities.flatMap(({ left, right }) => {
    if (isLeft(left) && isRight(right)) return [{ left, right: onRight(right) }];
    return isLeft(right) && isRight(left) ? [{ left: right, right: onRight(left) }] : [];
  });
  const leftKeys = pairs.map(pair => pair.left);
  const rightKeys = pairs.map(pair => pair.right);
  return { ...side, join: { ...sides, leftKeys, rightKeys } };
}

/** A column, or one in a wider type: what cannot fail. */
function isPlain(expr: Expr): boolean {
  if (expr.node === 'cast') return expr.arg.node === 'column' && canWiden(expr.arg.type, expr.type);
  return expr.node === 'column';
}
