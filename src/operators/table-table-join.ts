import type { Batch, Vec } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import { grownI32 } from '../core/vec.ts';
import type { JoinType, TableTableJoinNode } from '../plan/plan.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder } from './change-builder.ts';
import { JoinKeys } from './join-keys.ts';
import { KeysAhead } from './keys-ahead.ts';
import { type PortReader, readPorts } from './merged-ports.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { RowColumns } from './row-columns.ts';

const NONE = -1;

/** bits of `has` */
const HAS_LEFT = 1;
const HAS_RIGHT = 2;

interface Side {
  readonly bit: number;
  readonly keys: JoinKeys;
  readonly ahead: KeysAhead;
  readonly rows: RowColumns;
  readonly rowtime: GrowingColumn;
}

/** A key that the current sequence has changed. */
interface Touch {
  readonly slot: number;
  /** its values: row i of these columns */
  readonly key: readonly Vec[];
  readonly i: number;
  readonly existed: boolean;
  rowtime: number;
}

/**
 * Tables A and B by their keys: out' = A' * B' at the keys of dA and dB, which is A*B + dA*B + A*dB + dA*dB there. Both
 * rows of a key stand in one slot, so each change is one look-up. A key gives one change per sequence.
 */
export class TableTableJoin implements Operator, PortReader {
  readonly id: string;
  readonly #table: StateTable;
  readonly #sides: readonly [Side, Side];
  readonly #has: GrowingColumn;
  /** by `has`: whether the join has a row */
  readonly #shown: readonly boolean[];
  readonly #out: ChangeBuilder;
  #epoch: Epoch | null = null;
  /** of the current sequence, in order of first touch; slots are let go when it is settled */
  readonly #touched: Touch[] = [];
  /** by slot the place of its touch, + 1; 0: not touched */
  #places: Int32Array = new Int32Array(64);

  constructor(node: TableTableJoinNode, context: OperatorContext, table: StateTable) {
    this.id = node.id;
    this.#table = table;
    this.#shown = shownBy(node.type);
    this.#has = this.#table.column('i32');
    const side = (name: 'left' | 'right', bit: number): Side => {
      const { schema } = node[name];
      const keys = new JoinKeys(node.id, context, schema, node[`${name}Keys`]);
      const rows = new RowColumns(schema, this.#table);
      const rowtime = this.#table.column('f64');
      return { bit, keys, ahead: new KeysAhead(keys.encoder, table, table.columns), rows, rowtime };
    };
    this.#sides = [side('left', HAS_LEFT), side('right', HAS_RIGHT)];
    this.#out = new ChangeBuilder(node.schema);
  }

  step(epoch: Epoch, inputs: readonly (readonly Batch[])[]): readonly Batch[] {
    this.#epoch = epoch;
    readPorts(inputs, [0, 1], this);
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  begin(port: number, batch: Batch): void {
    const { keys, ahead } = this.#sides[port] as Side;
    keys.begin(this.#epoch as Epoch, batch);
    ahead.begin(batch);
  }

  take(port: number, batch: Batch, i: number): void {
    const { bit, keys, ahead, rows, rowtime } = this.#sides[port] as Side;
    ahead.next();
    if (!keys.present(batch, i)) return;
    const slot = ahead.slot();
    const has = this.#table.index.isNew ? 0 : (this.#has.i32[slot] as number);
    const time = batch.rowtime[i] as number;
    this.#touch(slot, { slot, key: keys.vecs, i, existed: this.#shown[has] as boolean, rowtime: time });
    if (batch.op?.[i] === Op.DELETE) {
      rows.clear(slot);
      this.#has.i32[slot] = has & ~bit;
    } else {
      rows.put(slot, batch, i);
      rowtime.f64[slot] = time;
      this.#has.i32[slot] = has | bit;
    }
  }

  #touch(slot: number, touch: Touch): void {
    if (slot >= this.#places.length) this.#places = grownI32(this.#places, slot + 1);
    const place = this.#places[slot] as number;
    if (place === 0) this.#places[slot] = this.#touched.push(touch);
    else {
      const first = this.#touched[place - 1] as Touch;
      first.rowtime = Math.max(first.rowtime, touch.rowtime);
    }
  }

  settle(seq: number): void {
    for (const touch of this.#touched) {
      this.#places[touch.slot] = 0;
      this.#settle(seq, touch);
    }
    this.#touched.length = 0;
  }

  #settle(seq: number, { slot, key, i, existed, rowtime }: Touch): void {
    const has = this.#has.i32[slot] as number;
    const [left, right] = this.#sides;
    const shown = this.#shown[has] === true;
    if (shown || existed) {
      let time = rowtime;
      if (has & HAS_LEFT) time = Math.max(time, left.rowtime.f64[slot] as number);
      if (has & HAS_RIGHT) time = Math.max(time, right.rowtime.f64[slot] as number);
      this.#out.begin(shown ? Op.UPSERT : Op.DELETE, seq, time);
      this.#out.addKept(left.rows, shown && has & HAS_LEFT ? slot : NONE);
      this.#out.addKept(right.rows, shown && has & HAS_RIGHT ? slot : NONE);
      this.#out.addVecs(key, i);
    }
    if (has === 0) this.#table.drop(slot);
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): StateTableState {
    return this.#table.state(part);
  }

  load(state: unknown): void {
    this.#table.load(state as StateTableState);
  }

  size(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#table.rows, bytes: this.#table.bytes + this.#places.byteLength };
  }
}

function shownBy(type: JoinType): readonly boolean[] {
  const both = HAS_LEFT | HAS_RIGHT;
  const shown = (has: number): boolean => {
    switch (type) {
      case 'inner':
        return has === both;
      case 'left':
        return (has & HAS_LEFT) !== 0;
      case 'right':
        return (has & HAS_RIGHT) !== 0;
      case 'full':
        return has !== 0;
    }
  };
  return [0, HAS_LEFT, HAS_RIGHT, both].map(shown);
}
