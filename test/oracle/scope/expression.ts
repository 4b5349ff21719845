import type { SqlType } from '../../../src/core/sql-type.ts';

/** An expression of a random script. Plain data, so that a shrinker can put smaller ones in its place. */
export interface Expr {
  /** `$0`, `$1`, ... stand for the arguments */
  readonly sql: string;
  readonly args: readonly Expr[];
  /** what it is meant to be; the planner may see a wider DECIMAL */
  readonly type: SqlType;
}

export function leaf(sql: string, type: SqlType): Expr {
  return { sql, args: [], type };
}

export function printExpr({ sql, args }: Expr): string {
  return sql.replaceAll(/\$(\d)/g, (_, i: string) => {
    const arg = args[Number(i)];
    if (arg === undefined) throw new Error(`no argument ${i} of ${sql}`);
    return printExpr(arg);
  });
}

/** Parts of the same kind in its place, or with one argument made smaller. */
export function* smallerExprs(expr: Expr): Generator<Expr> {
  for (const arg of expr.args) if (arg.type.kind === expr.type.kind) yield arg;
  for (const [i, arg] of expr.args.entries()) {
    for (const smaller of smallerExprs(arg)) yield { ...expr, args: expr.args.with(i, smaller) };
  }
}
