import type { SqlType } from '../core/sql-type.ts';
import type { Row, Value } from '../core/value.ts';
import { comparator } from './compare.ts';

export interface OrderedColumn {
  readonly column: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** ORDER BY: compares rows of these column types. */
export function rowComparator(
  types: readonly SqlType[],
  order: readonly OrderedColumn[],
): (a: Row, b: Row) => number {
  const compared = cellComparator(types, order);
  return (a, b) =>
    compared(
      (i: number) => a[i] ?? null,
      (i: number) => b[i] ?? null,
    );
}

type Cells = (column: number) => Value | null;

/** The same where cells are fetched one by one. */
export function cellComparator(
  types: readonly SqlType[],
  order: readonly OrderedColumn[],
): (a: Cells, b: Cells) => number {
  const compares = order.map(({ column }) => comparator(types[column] ?? { kind: 'STRING' }));
  return (a, b) => {
    for (let i = 0; i < order.length; i++) {
      const { column, descending, nullsFirst } = order[i] as OrderedColumn;
      const [x, y] = [a(column), b(column)];
      if (x === null || y === null) {
        if (x === y) continue;
        return (x === null) === nullsFirst ? -1 : 1;
      }
      const result = compares[i]?.(x, y) ?? 0;
      if (result !== 0) return descending ? -result : result;
    }
    return 0;
  };
}
