import type { Batch, Vec } from '../core/batch.ts';
import type { Column, Schema } from '../core/schema.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Row, Value } from '../core/value.ts';
import { type VecBuilder, vecKind } from '../core/vec.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { StateTable } from '../state/state-table.ts';
import { GatheredColumn } from './gathered-column.ts';

/** A state column for values of a type: as in batches, but BYTES as values. */
export function valueColumn(table: StateTable, type: SqlType): GrowingColumn {
  if (type.kind === 'STRING') return table.column('text');
  const kind = vecKind(type);
  return table.column(kind === 'str' ? 'val' : kind);
}

/** State columns that hold whole rows of a schema by slot. */
export class RowColumns {
  readonly #columns: readonly Column[];
  readonly #values: readonly GrowingColumn[];
  /** the row of a side that has none */
  readonly nulls: Row;

  constructor(schema: Schema, table: StateTable) {
    this.#columns = schema.columns;
    this.#values = schema.columns.map(c => valueColumn(table, c.type));
    this.nulls = schema.columns.map(() => null);
  }

  /** Keeps physical row i of a batch. */
  put(slot: number, batch: Batch, i: number): void {
    for (let c = 0; c < this.#values.length; c++) {
      const { type } = this.#columns[c] as Column;
      (this.#values[c] as GrowingColumn).takeRow(slot, batch.cols[c] as Vec, type, i);
    }
  }

  /** Appends the row to columns being built, from column `at` on; a slot of -1 is NULLs. Where the next column is. */
  pushTo(built: readonly VecBuilder[], at: number, slot: number): number {
    const n = this.#values.length;
    for (let c = 0; c < n; c++) {
      const to = built[at + c] as VecBuilder;
      if (slot < 0) to.push(null);
      else (this.#values[c] as GrowingColumn).pushTo(to, slot);
    }
    return at + n;
  }

  row(slot: number): Row {
    return this.#columns.map((_, c) => this.get(slot, c));
  }

  get(slot: number, c: number): Value | null {
    return (this.#values[c] as GrowingColumn).get((this.#columns[c] as Column).type, slot);
  }

  /** Columns of a batch of n rows, to be filled from these; null for those that are not wanted. */
  gathered(n: number, wanted: (column: number) => boolean): readonly (GatheredColumn | null)[] {
    return this.#columns.map(({ type }, c) =>
      wanted(c) ? new GatheredColumn(type, this.#values[c] as GrowingColumn, n) : null,
    );
  }

  /** Lets go of values that are not in typed arrays; the slot may live on. */
  clear(slot: number): void {
    for (const column of this.#values) column.forget(slot);
  }
}
