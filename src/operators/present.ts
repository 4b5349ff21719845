import type { Batch, Vec } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Column, Schema } from '../core/schema.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { KeyedTable } from './keyed-table.ts';
import type { Epoch, Operator } from './operator.ts';

/**
 * Takes DELETEs of keys that have no row out of the changes of a keyed relation: rows that never passed a filter,
 * tombstones of unknown keys. Its state is the set of keys that have a row.
 */
export class Present implements Operator {
  readonly id = 'present';
  readonly #key: readonly number[];
  readonly #keys: KeyedTable;
  readonly #table: StateTable;
  /** false: it began over rows that it has not seen, so a DELETE of an unknown key may be of one of them */
  #complete = true;

  constructor(schema: Schema, table: StateTable) {
    this.#key = schema.key;
    this.#table = table;
    this.#keys = new KeyedTable(
      schema.key.map(i => (schema.columns[i] as Column).type),
      table,
    );
  }

  step(_: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    return input.map(batch => this.#apply(batch)).filter(b => b.sel === null || b.sel.length > 0);
  }

  #apply(batch: Batch): Batch {
    const vecs = this.#key.map(i => batch.cols[i] as Vec);
    this.#keys.encoder.begin(vecs);
    const n = batch.sel === null ? batch.n : batch.sel.length;
    const kept = new Int32Array(n);
    let count = 0;
    for (let k = 0; k < n; k++) {
      const i = batch.sel === null ? k : (batch.sel[k] as number);
      if (batch.op?.[i] === Op.DELETE) {
        const slot = this.#keys.find(0, i);
        if (slot >= 0) this.#table.drop(slot);
        else if (this.#complete) continue;
      } else {
        const slot = this.#keys.slot(0, i);
        if (this.#table.index.isNew) this.#keys.keep(slot, vecs, i);
      }
      kept[count++] = i;
    }
    return count === n ? batch : { ...batch, sel: kept.subarray(0, count) };
  }

  /** The state that was there had none of this operator: it did not run until now. */
  begin(): void {
    this.#complete = false;
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): { readonly table: StateTableState; readonly complete: boolean } {
    return { table: this.#table.state(part), complete: this.#complete };
  }

  load(state: unknown): void {
    const { table, complete } = state as { readonly table: StateTableState; readonly complete: boolean };
    this.#table.load(table);
    this.#complete = complete;
  }

  size(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#table.rows, bytes: this.#table.bytes };
  }
}
