import { capacityFor } from '../core/vec.ts';
import type { ColumnKind, ColumnState } from './growing-column.ts';
import { GrowingColumn } from './growing-column.ts';
import { KeyIndex, type KeyIndexState } from './key-index.ts';

export interface StateTableState {
  readonly index: KeyIndexState;
  readonly columns: readonly ColumnState[];
}

/**
 * The only kind of operator state: keys -> dense slots -> typed columns. Names and meaning of the columns are the
 * operator's. A new slot's columns hold whatever its last owner left: the operator sets them.
 */
export class StateTable {
  readonly index = new KeyIndex();
  readonly columns: GrowingColumn[] = [];
  #reserved = 0;

  /** Declares a further column; all are declared before the first key. */
  column(kind: ColumnKind): GrowingColumn {
    const column = new GrowingColumn(kind);
    this.columns.push(column);
    return column;
  }

  /** The slot of a key, made when unknown (`index.isNew`). All columns have room for it. */
  slot(prefix: number, bytes: Uint8Array, start: number, end: number): number {
    const slot = this.index.insert(prefix, bytes, start, end);
    if (this.index.isNew) this.reserve(slot + 1);
    return slot;
  }

  /** Room for slots below n in all columns; for callers that insert into the index themselves. */
  reserve(n: number): void {
    if (n <= this.#reserved) return;
    this.#reserved = capacityFor(n, this.#reserved);
    for (const column of this.columns) column.reserve(this.#reserved);
  }

  find(prefix: number, bytes: Uint8Array, start: number, end: number): number {
    return this.index.find(prefix, bytes, start, end);
  }

  /** Forgets a key; its values in `val` columns are let go. */
  drop(slot: number): void {
    this.index.remove(slot);
    for (const column of this.columns) if (column.kind === 'val') column.values[slot] = null;
  }

  dropAll(slots: readonly number[]): void {
    this.index.removeAll(slots);
    for (const column of this.columns) {
      if (column.kind === 'val') for (const slot of slots) column.values[slot] = null;
    }
  }

  *slots(): Iterable<number> {
    for (let slot = 0; slot < this.index.high; slot++) if (this.index.lives(slot)) yield slot;
  }

  get rows(): number {
    return this.index.size;
  }

  get bytes(): number {
    return this.columns.reduce((sum, column) => sum + column.bytes, this.index.bytes);
  }

  /** Structured-cloneable; shares nothing with the table but values of `val` columns. */
  state(): StateTableState {
    return { index: this.index.state(), columns: this.columns.map(c => c.state(this.index.high)) };
  }

  load(state: StateTableState): void {
    this.index.load(state.index);
    this.#reserved = 0;
    this.columns.forEach((column, i) => {
      const saved = state.columns[i];
      if (saved !== undefined) column.load(saved);
    });
    this.reserve(this.index.high);
  }
}
