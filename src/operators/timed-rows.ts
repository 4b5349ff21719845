import type { Batch } from '../core/batch.ts';
import type { Column, Schema } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { RelationKind } from '../plan/plan.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { KeyedTable } from './keyed-table.ts';
import { RowColumns } from './row-columns.ts';

const NONE = -1;
const NO_BYTES = new Uint8Array(0);

export interface TimedRowsTables {
  readonly rows: StateTable;
  /** each different row once, where rows are taken away by value */
  readonly distinct: StateTable;
}

export interface TimedRowsState {
  readonly rows: StateTableState;
  readonly distinct: StateTableState;
  readonly arrivals: number;
}

/**
 * Rows with the bounds between which they are visible. Of an upsert relation one row per key; else each row on its own,
 * and where rows are taken away by value, equal ones in a chain from the last to the first.
 */
export class TimedRows {
  /** ms of the clock */
  readonly from: GrowingColumn;
  readonly until: GrowingColumn;
  readonly rowtime: GrowingColumn;
  readonly visible: GrowingColumn;
  /** number of the arrival */
  readonly order: GrowingColumn;
  readonly #kind: RelationKind;
  readonly #table: StateTable;
  readonly #distinct: StateTable;
  /** finds a row: by its key, or by all of it */
  readonly #found: KeyedTable;
  readonly #find: readonly number[];
  readonly #columns: RowColumns;
  /** of `retract`: the last of equal rows; per row which these are, and its neighbours among them */
  readonly #top: GrowingColumn;
  readonly #equal: GrowingColumn;
  readonly #below: GrowingColumn;
  readonly #above: GrowingColumn;
  #vecs: Batch['cols'] = [];
  #arrivals = 0;

  constructor(schema: Schema, kind: RelationKind, { rows, distinct }: TimedRowsTables) {
    this.#kind = kind;
    this.#table = rows;
    this.#distinct = distinct;
    this.#find = kind === 'upsert' ? schema.key : [...schema.columns.keys()];
    this.#found = new KeyedTable(
      this.#find.map(c => (schema.columns[c] as Column).type),
      kind === 'upsert' ? rows : distinct,
    );
    this.#columns = new RowColumns(schema, rows);
    this.from = rows.column('f64');
    this.until = rows.column('f64');
    this.rowtime = rows.column('f64');
    this.order = rows.column('f64');
    this.visible = rows.column('i32');
    this.#top = distinct.column('i32');
    this.#equal = rows.column('i32');
    this.#below = rows.column('i32');
    this.#above = rows.column('i32');
  }

  get size(): number {
    return this.#table.rows;
  }

  begin(batch: Batch): void {
    if (this.#kind === 'append') return;
    this.#vecs = this.#find.map(c => batch.cols[c] as Batch['cols'][number]);
    this.#found.encoder.begin(this.#vecs);
  }

  /** The row that a change of row i replaces or takes away, the last of equal ones; or -1. */
  last(i: number): number {
    if (this.#kind === 'append') return NONE;
    const slot = this.#found.find(0, i);
    return slot < 0 || this.#kind === 'upsert' ? slot : (this.#top.i32[slot] as number);
  }

  /** Keeps row i; of an upsert relation its key has no row. The slot; bounds and `visible` are the caller's. */
  keep(batch: Batch, i: number): number {
    const slot =
      this.#kind === 'upsert' ? this.#found.slot(0, i) : this.#table.slot(this.#arrivals, NO_BYTES, 0, 0);
    this.order.f64[slot] = this.#arrivals++;
    if (this.#kind === 'upsert') this.#found.keep(slot, this.#vecs, i);
    if (this.#kind === 'retract') this.#chain(slot, i);
    this.#columns.put(slot, batch, i);
    this.rowtime.f64[slot] = batch.rowtime[i] as number;
    return slot;
  }

  /** Whether a slot still holds the row of this order. */
  holds(slot: number, order: number): boolean {
    return this.#table.index.lives(slot) && this.order.f64[slot] === order;
  }

  show(slot: number): void {
    this.visible.i32[slot] = 1;
    this.#table.touch(slot);
  }

  row(slot: number): Row {
    return this.#columns.row(slot);
  }

  drop(slot: number): void {
    if (this.#kind === 'retract') this.#unchain(slot);
    this.#table.drop(slot);
  }

  #chain(slot: number, i: number): void {
    const equal = this.#found.slot(0, i);
    const { isNew } = this.#distinct.index;
    if (isNew) this.#found.keep(equal, this.#vecs, i);
    const below = isNew ? NONE : (this.#top.i32[equal] as number);
    this.#equal.i32[slot] = equal;
    this.#above.i32[slot] = NONE;
    this.#below.i32[slot] = below;
    if (below !== NONE) this.#above.i32[below] = slot;
    if (below !== NONE) this.#table.touch(below);
    this.#top.i32[equal] = slot;
  }

  #unchain(slot: number): void {
    const equal = this.#equal.i32[slot] as number;
    const above = this.#above.i32[slot] as number;
    const below = this.#below.i32[slot] as number;
    if (below !== NONE) {
      this.#above.i32[below] = above;
      this.#table.touch(below);
    }
    if (above !== NONE) {
      this.#below.i32[above] = below;
      this.#table.touch(above);
    } else if (below === NONE) this.#distinct.drop(equal);
    else {
      this.#top.i32[equal] = below;
      this.#distinct.touch(equal);
    }
  }

  slots(): Iterable<number> {
    return this.#table.slots();
  }

  state(part?: ChangedPart): TimedRowsState {
    return {
      rows: this.#table.state(part),
      distinct: this.#distinct.state(part),
      arrivals: this.#arrivals,
    };
  }

  load({ rows, distinct, arrivals }: TimedRowsState): void {
    this.#table.load(rows);
    this.#distinct.load(distinct);
    this.#arrivals = arrivals;
  }

  get bytes(): number {
    return this.#table.bytes + this.#distinct.bytes;
  }
}
