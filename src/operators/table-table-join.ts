import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Row } from '../core/value.ts';
import type { JoinType, TableTableJoinNode } from '../plan/plan.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder } from './change-builder.ts';
import { JoinKeys } from './join-keys.ts';
import { type PortReader, readPorts } from './merged-ports.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { RowColumns } from './row-columns.ts';

/** bits of `has` */
const HAS_LEFT = 1;
const HAS_RIGHT = 2;

interface Side {
  readonly bit: number;
  readonly keys: JoinKeys;
  readonly rows: RowColumns;
  readonly rowtime: GrowingColumn;
}

interface Touch {
  readonly key: Row;
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
  /** of the current sequence, by slot, in order of first touch; slots are let go when it is settled */
  readonly #touched = new Map<number, Touch>();

  constructor(node: TableTableJoinNode, context: OperatorContext, table: StateTable) {
    this.id = node.id;
    this.#table = table;
    this.#shown = shownBy(node.type);
    this.#has = this.#table.column('i32');
    const side = (name: 'left' | 'right', bit: number): Side => {
      const { schema } = node[name];
      return {
        bit,
        keys: new JoinKeys(node.id, context, schema, node[`${name}Keys`]),
        rows: new RowColumns(schema, this.#table),
        rowtime: this.#table.column('f64'),
      };
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
    (this.#sides[port] as Side).keys.begin(this.#epoch as Epoch, batch);
  }

  take(port: number, batch: Batch, i: number): void {
    const { bit, keys, rows, rowtime } = this.#sides[port] as Side;
    if (!keys.present(batch, i)) return;
    const { encoder } = keys;
    encoder.encode(i);
    const slot = this.#table.slot(0, encoder.bytes, encoder.start, encoder.end);
    const has = this.#table.index.isNew ? 0 : (this.#has.i32[slot] as number);
    const time = batch.rowtime[i] as number;
    const touch = this.#touched.get(slot);
    if (touch !== undefined) touch.rowtime = Math.max(touch.rowtime, time);
    else {
      const existed = this.#shown[has] as boolean;
      this.#touched.set(slot, { key: keys.values(i), existed, rowtime: time });
    }
    if (batch.op?.[i] === Op.DELETE) {
      rows.clear(slot);
      this.#has.i32[slot] = has & ~bit;
    } else {
      rows.put(slot, batch, i);
      rowtime.f64[slot] = time;
      this.#has.i32[slot] = has | bit;
    }
  }

  settle(seq: number): void {
    for (const [slot, touch] of this.#touched) this.#settle(seq, slot, touch);
    this.#touched.clear();
  }

  #settle(seq: number, slot: number, { key, existed, rowtime }: Touch): void {
    const has = this.#has.i32[slot] as number;
    let time = rowtime;
    for (const side of this.#sides) {
      if (has & side.bit) time = Math.max(time, side.rowtime.f64[slot] as number);
    }
    if (this.#shown[has] === true) {
      const [left, right] = this.#sides.map(({ bit, rows }) => (has & bit ? rows.row(slot) : rows.nulls));
      this.#out.push(Op.UPSERT, seq, time, [...(left as Row), ...(right as Row), ...key]);
    } else if (existed) {
      const [left, right] = this.#sides;
      this.#out.push(Op.DELETE, seq, time, [...left.rows.nulls, ...right.rows.nulls, ...key]);
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
    return { rows: this.#table.rows, bytes: this.#table.bytes };
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
