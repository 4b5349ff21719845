import type { Batch, Vec } from '../core/batch.ts';
import type { Column, Schema } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import { valueAt, vecKind } from '../core/vec.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { StateTable } from '../state/state-table.ts';
import { KeyedTable } from './keyed-table.ts';

/** The last row per key: state of operators that must know the row that a change replaces. */
export class RowStore {
  readonly keyed: KeyedTable;
  readonly table: StateTable;
  readonly rowtime: GrowingColumn;
  readonly #columns: readonly Column[];
  readonly #key: readonly number[];
  readonly #values: readonly GrowingColumn[];
  #vecs: readonly Vec[] = [];

  /** Of an upsert relation; without key columns (a group of everything) it has one row. */
  constructor(schema: Schema, table: StateTable) {
    this.table = table;
    this.#columns = schema.columns;
    this.#key = schema.key;
    this.keyed = new KeyedTable(
      this.#key.map(i => (schema.columns[i] as Column).type),
      table,
    );
    this.#values = schema.columns.map(c => {
      const kind = vecKind(c.type);
      return table.column(kind === 'str' ? 'val' : kind);
    });
    this.rowtime = table.column('f64');
  }

  begin(batch: Batch): void {
    this.#vecs = this.#key.map(i => batch.cols[i] as Vec);
    this.keyed.encoder.begin(this.#vecs);
  }

  /** The slot of the key of row i, or -1. */
  find(i: number): number {
    return this.keyed.find(0, i);
  }

  /** Keeps row i as the row of its key; the slot. */
  put(batch: Batch, i: number): number {
    const slot = this.keyed.slot(0, i);
    this.keyed.keep(slot, this.#vecs, i);
    for (let c = 0; c < this.#values.length; c++) {
      (this.#values[c] as GrowingColumn).set(
        slot,
        valueAt(batch.cols[c] as Vec, (this.#columns[c] as Column).type, i),
      );
    }
    this.rowtime.f64[slot] = batch.rowtime[i] as number;
    return slot;
  }

  row(slot: number): Row {
    return this.#columns.map((column, c) => (this.#values[c] as GrowingColumn).get(column.type, slot));
  }
}
