import { assert } from '../core/assert.ts';
import type { Batch, Vec } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Row } from '../core/value.ts';
import { valueAt } from '../core/vec.ts';
import type { ForeignKeyJoinNode } from '../plan/plan.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder, JOIN_LIMIT } from './change-builder.ts';
import { JoinKeys } from './join-keys.ts';
import { keyOrder } from './key-order.ts';
import { type PortReader, readPorts } from './merged-ports.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { Pointers } from './pointers.ts';
import { RowColumns } from './row-columns.ts';
import { RowStore } from './row-store.ts';

const LEFT = 0;
const NONE = -1;

interface Touch {
  /** the left key's columns, the others NULL */
  readonly key: Row;
  readonly existed: boolean;
  rowtime: number;
}

export interface ForeignKeyJoinTables {
  readonly left: StateTable;
  readonly right: StateTable;
}

interface ForeignKeyJoinState {
  readonly left: StateTableState;
  readonly right: StateTableState;
}

/**
 * Tables A and B, a row of A pointing to a key of B: out' = A' * B' at the keys of dA and at those of A' that point to a
 * key of dB, which is A*B + dA*B + A'*dB there. Each key of B that has a row, or that is pointed to, is one slot. A left
 * key gives one change per sequence; what it had before the sequence is known from the state when it is first touched.
 */
export class ForeignKeyJoin implements Operator, PortReader {
  readonly id: string;
  readonly #node: ForeignKeyJoinNode;
  readonly #context: OperatorContext;
  readonly #leftTable: StateTable;
  readonly #lefts: RowStore;
  /** 0: deleted in this sequence, the slot is let go when it is settled */
  readonly #hasLeft: GrowingColumn;
  readonly #rightTable: StateTable;
  readonly #rights: RowColumns;
  readonly #rightTime: GrowingColumn;
  readonly #hasRight: GrowingColumn;
  readonly #pointers: Pointers;
  readonly #foreignKeys: JoinKeys;
  readonly #rightKeys: JoinKeys;
  readonly #order: (a: Row, b: Row) => number;
  readonly #out: ChangeBuilder;
  readonly #keepsNullKeys: boolean;
  #epoch: Epoch | null = null;
  /** of the current sequence, by left slot, in order of first touch */
  readonly #touched = new Map<number, Touch>();
  /** right slots of the current sequence that may have neither a row nor any that points to them */
  readonly #loose = new Set<number>();

  constructor(node: ForeignKeyJoinNode, context: OperatorContext, tables: ForeignKeyJoinTables) {
    this.id = node.id;
    this.#leftTable = tables.left;
    this.#rightTable = tables.right;
    this.#node = node;
    this.#keepsNullKeys = node.nullKeys === 'keep';
    this.#context = context;
    this.#lefts = new RowStore(node.left.schema, this.#leftTable);
    this.#hasLeft = this.#leftTable.column('i32');
    this.#rights = new RowColumns(node.right.schema, this.#rightTable);
    this.#rightTime = this.#rightTable.column('f64');
    this.#hasRight = this.#rightTable.column('i32');
    this.#pointers = new Pointers(this.#leftTable, this.#rightTable);
    this.#foreignKeys = new JoinKeys(node.id, context, node.left.schema, node.leftKeys);
    this.#rightKeys = new JoinKeys(node.id, context, node.right.schema, node.rightKeys);
    this.#order = keyOrder(node.left.schema);
    this.#out = new ChangeBuilder(node.schema, JOIN_LIMIT);
  }

  step(epoch: Epoch, inputs: readonly (readonly Batch[])[]): readonly Batch[] {
    this.#epoch = epoch;
    readPorts(inputs, [0, 1], this);
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  begin(port: number, batch: Batch): void {
    assert(this.#epoch !== null, 'a batch outside of a step');
    if (port !== LEFT) {
      this.#rightKeys.begin(this.#epoch, batch);
      return;
    }
    this.#lefts.begin(batch);
    const { encoder } = this.#lefts.keyed;
    const points = (i: number): boolean =>
      batch.op?.[i] !== Op.DELETE && (this.#keepsNullKeys || !encoder.hasNull(i));
    this.#foreignKeys.begin(this.#epoch, batch, points);
  }

  take(port: number, batch: Batch, i: number): void {
    if (port === LEFT) this.#takeLeft(batch, i);
    else this.#takeRight(batch, i);
  }

  #takeLeft(batch: Batch, i: number): void {
    const seq = batch.seq[i] as number;
    if (!this.#keepsNullKeys && this.#lefts.keyed.encoder.hasNull(i)) {
      this.#context.reject('null_key', seq, `${this.id}: NULL in the key of the left table`);
      return;
    }
    const slot = this.#lefts.slot(i);
    if (this.#leftTable.index.isNew) {
      this.#hasLeft.i32[slot] = 0;
      this.#pointers.beginSource(slot);
    }
    this.#touch(slot, batch.rowtime[i] as number, () => this.#keyOf(batch, i));
    const before = this.#pointers.targetOf(slot);
    if (before !== NONE) this.#loose.add(before);
    this.#pointers.unlink(slot);
    if (batch.op?.[i] === Op.DELETE) {
      this.#hasLeft.i32[slot] = 0;
      return;
    }
    this.#lefts.put(batch, i);
    this.#hasLeft.i32[slot] = 1;
    this.#foreignKeys.report(seq, i);
    if (this.#foreignKeys.encoder.hasNull(i)) return;
    this.#pointers.link(slot, this.#rightSlot(this.#foreignKeys, i));
  }

  #takeRight(batch: Batch, i: number): void {
    // nothing points to a key with a NULL
    if (this.#rightKeys.encoder.hasNull(i)) return;
    const slot = this.#rightSlot(this.#rightKeys, i);
    const time = batch.rowtime[i] as number;
    const pointing = this.#pointers
      .sourcesOf(slot)
      .map(left => ({ left, row: this.#lefts.row(left) }))
      .sort((a, b) => this.#order(a.row, b.row));
    for (const { left, row } of pointing) this.#touch(left, time, () => this.#keyOnly(row));
    if (batch.op?.[i] === Op.DELETE) {
      this.#hasRight.i32[slot] = 0;
      this.#rights.clear(slot);
      this.#loose.add(slot);
    } else {
      this.#hasRight.i32[slot] = 1;
      this.#rights.put(slot, batch, i);
      this.#rightTime.f64[slot] = time;
    }
  }

  #rightSlot({ encoder }: JoinKeys, i: number): number {
    encoder.encode(i);
    const slot = this.#rightTable.slot(0, encoder.bytes, encoder.start, encoder.end);
    if (this.#rightTable.index.isNew) {
      this.#hasRight.i32[slot] = 0;
      this.#pointers.beginTarget(slot);
    }
    return slot;
  }

  #touch(slot: number, rowtime: number, keyOf: () => Row): void {
    const known = this.#touched.get(slot);
    if (known !== undefined) known.rowtime = Math.max(known.rowtime, rowtime);
    else this.#touched.set(slot, { key: keyOf(), existed: this.#exists(slot), rowtime });
  }

  #exists(slot: number): boolean {
    return this.#hasLeft.i32[slot] === 1 && (this.#node.type === 'left' || this.#found(slot) !== NONE);
  }

  /** The slot of the right row that a left row points to, or -1. */
  #found(slot: number): number {
    const target = this.#pointers.targetOf(slot);
    return target !== NONE && this.#hasRight.i32[target] === 1 ? target : NONE;
  }

  settle(seq: number): void {
    for (const [slot, touch] of this.#touched) this.#settle(seq, slot, touch);
    this.#touched.clear();
    for (const slot of this.#loose) {
      if (this.#hasRight.i32[slot] === 0 && !this.#pointers.isTarget(slot)) this.#rightTable.drop(slot);
    }
    this.#loose.clear();
  }

  #settle(seq: number, slot: number, { key, existed, rowtime }: Touch): void {
    const has = this.#hasLeft.i32[slot] === 1;
    const found = has ? this.#found(slot) : NONE;
    let time = rowtime;
    if (has) time = Math.max(time, this.#lefts.rowtime.f64[slot] as number);
    if (found !== NONE) time = Math.max(time, this.#rightTime.f64[found] as number);
    if (this.#exists(slot)) {
      const right = found === NONE ? this.#rights.nulls : this.#rights.row(found);
      this.#out.push(Op.UPSERT, seq, time, [...this.#lefts.row(slot), ...right]);
    } else if (existed) {
      this.#out.push(Op.DELETE, seq, time, [...key, ...this.#rights.nulls]);
    }
    if (!has) this.#leftTable.drop(slot);
  }

  #keyOf(batch: Batch, i: number): Row {
    const { columns, key } = this.#node.left.schema;
    return columns.map((column, c) =>
      key.includes(c) ? valueAt(batch.cols[c] as Vec, column.type, i) : null,
    );
  }

  #keyOnly(row: Row): Row {
    return row.map((value, c) => (this.#node.left.schema.key.includes(c) ? value : null));
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): ForeignKeyJoinState {
    return { left: this.#leftTable.state(part), right: this.#rightTable.state(part) };
  }

  load(state: unknown): void {
    const { left, right } = state as ForeignKeyJoinState;
    this.#leftTable.load(left);
    this.#rightTable.load(right);
  }

  size(): { readonly rows: number; readonly bytes: number } {
    return {
      rows: this.#leftTable.rows + this.#rightTable.rows,
      bytes: this.#leftTable.bytes + this.#rightTable.bytes,
    };
  }
}
