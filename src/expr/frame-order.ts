import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { comparator } from './compare.ts';
import type { OrderedColumn } from './row-order.ts';
import type { FrameOffset } from './window-function.ts';

type Cells = (column: number) => Value | null;

/** Where a row stands to the point that lies so far from another row in the order: before it (-1), at it (0), behind. */
export type PlaceAgainst = (row: Cells, from: Cells, offset: FrameOffset) => number;

/**
 * For frames of values, over an order by one column of numbers or times: PostgreSQL's in_range. NULLs are at one point,
 * whatever the offset.
 */
export function placeAgainst(
  types: readonly SqlType[],
  { column, descending, nullsFirst }: OrderedColumn,
): PlaceAgainst {
  const compare = comparator(types[column] ?? { kind: 'STRING' });
  return (row, from, offset) => {
    const [x, y] = [row(column), from(column)];
    if (x === null || y === null) {
      if (x === y) return 0;
      return (x === null) === nullsFirst ? -1 : 1;
    }
    const result = Math.sign(compare(x, moved(y, descending, offset)));
    return descending ? 0 - result : result;
  };
}

function moved(value: Value, descending: boolean, offset: FrameOffset): Value {
  if (typeof value === 'bigint' && typeof offset === 'bigint') {
    return descending ? value - offset : value + offset;
  }
  if (typeof value === 'number' && typeof offset === 'number') {
    return descending ? value - offset : value + offset;
  }
  throw new TypeError('an offset is of the type of the column');
}
