import type { Schema } from '../../core/schema.ts';
import { BIGINT } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { JoinSide, OrderedExpr, RankedSide } from './resolved-query.ts';

/** The rows of a side in order; the last column is the number. */
export function rankedSide(
  input: JoinSide,
  options: {
    readonly partition: readonly Expr[];
    readonly order: readonly OrderedExpr[];
    readonly from: number;
    readonly to: number | null;
  },
): RankedSide {
  const { partition, order } = options;
  const added = [...partition, ...order.map(o => o.expr)].map(({ type }, i) => ({
    name: `order_${i}`,
    type,
  }));
  const columns = [...input.schema.columns, ...added, { name: 'number', type: BIGINT }];
  const schema: Schema = { ...input.schema, columns };
  return { kind: 'ranked', input, ...options, schema };
}

/** Where the number stands. */
export function numberOf({ schema }: RankedSide): Expr {
  return { node: 'column', type: BIGINT, index: schema.columns.length - 1, name: 'number' };
}
