import type { Batch, Vec } from '../core/batch.ts';
import type { Column, Schema } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { StateTable } from '../state/state-table.ts';
import type { KeyEncoder } from './key-encoder.ts';
import { KeyedTable } from './keyed-table.ts';
import { RowColumns } from './row-columns.ts';

/** The last row per key: state of operators that must know the row that a change replaces. */
export class RowStore {
  readonly keyed: KeyedTable;
  readonly table: StateTable;
  readonly columns: RowColumns;
  readonly rowtime: GrowingColumn;
  readonly #key: readonly number[];
  #vecs: readonly Vec[] = [];

  /** Of an upsert relation; without key columns (a group of everything) it has one row. */
  constructor(schema: Schema, table: StateTable) {
    this.table = table;
    this.#key = schema.key;
    this.keyed = new KeyedTable(
      this.#key.map(i => (schema.columns[i] as Column).type),
      table,
    );
    this.columns = new RowColumns(schema, table);
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

  /** The slot of a key of the same types that is elsewhere, without NULL in it; or -1. */
  findKey(key: KeyEncoder, i: number): number {
    key.encode(i);
    return this.table.find(0, key.bytes, key.start, key.end);
  }

  /** Keeps row i as the row of its key; the slot. */
  put(batch: Batch, i: number): number {
    const slot = this.slot(i);
    this.columns.put(slot, batch, i);
    this.rowtime.f64[slot] = batch.rowtime[i] as number;
    return slot;
  }

  /** The slot of the key of row i, made when unknown (`table.index.isNew`). */
  slot(i: number): number {
    const slot = this.keyed.slot(0, i);
    this.keyed.keep(slot, this.#vecs, i);
    return slot;
  }

  row(slot: number): Row {
    return this.columns.row(slot);
  }
}
