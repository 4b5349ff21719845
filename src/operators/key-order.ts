import type { Column, Schema } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import { comparator, nullable } from '../expr/compare.ts';

/** Rows of a relation by its key columns, NULL last. */
export function keyOrder(schema: Schema): (a: Row, b: Row) => number {
  const orders = schema.key.map(i => ({
    i,
    by: nullable(comparator((schema.columns[i] as Column).type)),
  }));
  return (a, b) => {
    for (const { i, by } of orders) {
      const order = by(a[i] ?? null, b[i] ?? null);
      if (order !== 0) return order;
    }
    return 0;
  };
}
