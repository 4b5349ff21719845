import type { Schema } from '../../core/schema.ts';
import type { SqlType } from '../../core/sql-type.ts';
import type { Row, Value } from '../../core/value.ts';
import { comparator, type NullableComparator, nullable } from '../../expr/compare.ts';
import { rowKey } from '../../expr/value-key.ts';

/** The row as a DELETE carries it: only its key columns. */
export function keyOnly(row: Row, schema: Schema): Row {
  return row.map((value, i) => (schema.key.includes(i) ? value : null));
}

/** The text of a row's key, for Maps. An upsert relation without key columns has one row (a global aggregate). */
export function keyTextOf(schema: Schema): (row: Row) => string {
  const text = rowKey(schema.key.map(i => columnType(schema, i)));
  return row => text(schema.key.map(i => row[i] ?? null));
}

/** The text of a whole row. */
export function rowTextOf(schema: Schema): (row: Row) => string {
  return rowKey(schema.columns.map(c => c.type));
}

/** Orders rows by the given columns, NULL last: the order of encoded keys. */
export function rowOrder(schema: Schema, indexes: readonly number[]): (a: Row, b: Row) => number {
  const orders: readonly NullableComparator[] = indexes.map(i => nullable(comparator(columnType(schema, i))));
  const cell = (row: Row, i: number): Value | null => row[indexes[i] ?? -1] ?? null;
  return (a, b) => {
    for (let i = 0; i < orders.length; i++) {
      const order = orders[i]?.(cell(a, i), cell(b, i)) ?? 0;
      if (order !== 0) return order;
    }
    return 0;
  };
}

function columnType(schema: Schema, i: number): SqlType {
  const column = schema.columns[i];
  if (column === undefined) throw new RangeError(`no column ${i}`);
  return column.type;
}
