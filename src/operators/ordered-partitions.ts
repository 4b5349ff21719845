import { assert } from '../core/assert.ts';
import type { Batch, Vec } from '../core/batch.ts';
import type { Column, Schema } from '../core/schema.ts';
import { cellComparator, type OrderedColumn } from '../expr/row-order.ts';
import type { StateTable } from '../state/state-table.ts';
import { EquiSide } from './equi-side.ts';
import { JoinKeys } from './join-keys.ts';
import { KeyEncoder } from './key-encoder.ts';
import type { Epoch, OperatorContext } from './operator.ts';

const NONE = -1;
const NO_BYTES = new Uint8Array(0);
/** prefixes of the index: a partition with bytes, and the one that is NULL */
const BYTES = 0;
const NULL_KEY = 1;

export interface PartitionOptions {
  readonly id: string;
  /** of the rows */
  readonly schema: Schema;
  readonly partition: readonly number[];
  readonly order: readonly OrderedColumn[];
  /** gives a fresh table of state */
  readonly table: () => StateTable;
  /** rows are taken away too */
  readonly retracting: boolean;
}

/**
 * The rows of partitions, and the order in which they stand: lists of slots, kept by whoever uses this. Partitions are
 * slots of `index`.
 */
export class OrderedPartitions {
  readonly index: StateTable;
  readonly rows: EquiSide;
  readonly compare: (a: number, b: number) => number;
  readonly #partition: readonly number[];
  readonly #keys: KeyEncoder;

  constructor(context: OperatorContext, options: PartitionOptions) {
    const { id, schema, partition, order, table, retracting } = options;
    this.#partition = partition;
    this.index = table();
    this.rows = new EquiSide({
      schema,
      keys: new JoinKeys(id, context, schema, []),
      preserved: false,
      index: this.index,
      rows: table(),
      distinct: retracting ? table() : null,
    });
    this.#keys = new KeyEncoder(partition.map(i => (schema.columns[i] as Column).type));
    const cells = (slot: number) => (column: number) => this.rows.rows.get(slot, column);
    const compare = cellComparator(
      schema.columns.map(c => c.type),
      order,
    );
    this.compare = (a, b) => compare(cells(a), cells(b));
  }

  begin(epoch: Epoch, batch: Batch): void {
    this.rows.begin(epoch, batch);
    this.#keys.begin(this.#partition.map(i => batch.cols[i] as Vec));
  }

  /** The partition of row i, made when unknown (`index.index.isNew`). */
  of(i: number): number {
    const encoder = this.#keys;
    const key = encoder.encode(i)
      ? this.index.slot(BYTES, encoder.bytes, encoder.start, encoder.end)
      : this.index.slot(NULL_KEY, NO_BYTES, 0, 0);
    if (this.index.index.isNew) this.rows.beginKey(key);
    return key;
  }

  /** The same, or -1. */
  find(i: number): number {
    const encoder = this.#keys;
    return encoder.encode(i)
      ? this.index.find(BYTES, encoder.bytes, encoder.start, encoder.end)
      : this.index.find(NULL_KEY, NO_BYTES, 0, 0);
  }

  /** The rows of a partition in order. They arrive in theirs, and equal ones stay in it. */
  inOrder(key: number): number[] {
    return this.rows.meeting(key).sort(this.compare);
  }

  /** Where a row stands, or would: behind all that equal it (1), or before them (0). */
  place(order: readonly number[], slot: number, behind: 0 | 1): number {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(order[middle] as number, slot) < behind) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where a row stands that is in the order, from the place of its equals on. */
  placeOf(order: readonly number[], slot: number, from: number): number {
    const at = order.indexOf(slot, from);
    assert(at !== NONE, 'a row is in the order of its partition');
    return at;
  }
}
