import { assert } from '../core/assert.ts';
import type { Batch, Vec } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Column } from '../core/schema.ts';
import type { Row, Value } from '../core/value.ts';
import { rowAt, valueAt } from '../core/vec.ts';
import type { EquiJoinNode } from '../plan/plan.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder, JOIN_LIMIT } from './change-builder.ts';
import { EquiSide, type EquiSideState } from './equi-side.ts';
import { Condition, Ledger } from './join-condition.ts';
import { JoinKeys } from './join-keys.ts';
import { boundOf, type JoinRange, OrderedRows, rangeOf } from './join-range.ts';
import { type PortReader, readPorts } from './merged-ports.ts';
import { clockAt, type Epoch, type Operator, type OperatorContext } from './operator.ts';

const LEFT = 0;
const RIGHT = 1;
const NONE = -1;

interface EquiJoinState {
  readonly index: StateTableState;
  readonly left: EquiSideState;
  readonly right: EquiSideState;
}

/** A row of one side, as it joins: one that the state keeps, or row i of a batch that comes in. */
interface Joining {
  readonly port: number;
  readonly slot: number;
  readonly batch: Batch;
  readonly i: number;
  readonly rowtime: number;
  readonly seq: number;
}

/**
 * d(A * B), one change at a time: dA * B, then A' * dB. A row of a preserved side has its null row while it meets none.
 * The contract stands on {@link EquiJoinNode}.
 */
export class EquiJoin implements Operator, PortReader {
  readonly id: string;
  /** join keys that have rows on either side */
  readonly #index: StateTable;
  readonly #sides: readonly [EquiSide, EquiSide];
  readonly #condition: Condition | null;
  /** a comparison that the condition asks for, and the rows of both sides in its order; null: there is none */
  readonly #range: JoinRange | null;
  readonly #ordered: readonly [OrderedRows, OrderedRows] | null;
  readonly #out: ChangeBuilder;
  readonly #ledger: Ledger;
  #epoch: Epoch | null = null;

  /** `table` gives a fresh table of state. */
  constructor(node: EquiJoinNode, context: OperatorContext, table: () => StateTable) {
    this.id = node.id;
    this.#ledger = new Ledger(context);
    this.#index = table();
    const side = (name: 'left' | 'right'): EquiSide =>
      new EquiSide({
        schema: node[name].schema,
        keys: new JoinKeys(node.id, context, node[name].schema, node[`${name}Keys`]),
        preserved: node.type === name || node.type === 'full',
        index: this.#index,
        rows: table(),
        distinct: table(),
      });
    this.#sides = [side('left'), side('right')];
    this.#condition = node.condition === null ? null : new Condition(node.condition, this.#ledger.context);
    this.#range = rangeOf(node.condition, node.left.schema.columns.length);
    this.#ordered =
      this.#range === null
        ? null
        : [
            new OrderedRows(this.#sides[LEFT], boundOf(this.#range, 'left')),
            new OrderedRows(this.#sides[RIGHT], boundOf(this.#range, 'right')),
          ];
    this.#out = new ChangeBuilder(node.schema, JOIN_LIMIT);
  }

  step(epoch: Epoch, inputs: readonly (readonly Batch[])[]): readonly Batch[] {
    this.#epoch = epoch;
    readPorts(inputs, [LEFT, RIGHT], this);
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  begin(port: number, batch: Batch): void {
    assert(this.#epoch !== null, 'a batch outside of a step');
    this.#side(port).begin(this.#epoch, batch);
  }

  settle(): void {}

  take(port: number, batch: Batch, i: number): void {
    if (batch.op?.[i] === Op.RETRACT) this.#retract(port, batch, i);
    else this.#add(port, batch, i);
  }

  #add(port: number, batch: Batch, i: number): void {
    const seq = batch.seq[i] as number;
    const joining = { port, slot: NONE, batch, i, rowtime: batch.rowtime[i] as number, seq };
    const own = this.#side(port);
    const other = this.#side(1 - port);
    own.keys.report(seq, i);
    const key = own.keys.encoder.hasNull(i) ? NONE : this.#key(own.keys, i);
    const partners = this.#partners(joining, key);
    const slot = own.add(batch, i, key);
    this.#ordered?.[port as 0 | 1].add(slot, key);
    for (const partner of partners) {
      if (other.countMet(partner, 1) === 0 && other.preserved) {
        this.#giveNull(Op.RETRACT, this.#kept(1 - port, partner, joining));
      }
      own.countMet(slot, 1);
      this.#give(Op.ADD, joining, partner);
    }
    if (own.preserved && partners.length === 0) this.#giveNull(Op.ADD, joining);
  }

  #retract(port: number, batch: Batch, i: number): void {
    const own = this.#side(port);
    const other = this.#side(1 - port);
    const slot = own.take(i);
    if (slot === NONE) return;
    const seq = batch.seq[i] as number;
    const joining = { port, slot, batch, i, rowtime: own.rowtime(slot), seq };
    const key = own.keyOf(slot);
    this.#ledger.silent = true;
    const partners = this.#partners(joining, key);
    this.#ledger.silent = false;
    for (const partner of partners) {
      this.#give(Op.RETRACT, joining, partner);
      if (other.countMet(partner, -1) === 1 && other.preserved) {
        this.#giveNull(Op.ADD, this.#kept(1 - port, partner, joining));
      }
    }
    if (own.preserved && own.met(slot) === 0) this.#giveNull(Op.RETRACT, joining);
    this.#ordered?.[port as 0 | 1].remove(slot, key);
    own.drop(slot);
    if (key !== NONE && !own.hasRows(key) && !other.hasRows(key)) this.#index.drop(key);
  }

  /** The rows of the other side that a row meets, in order of arrival. */
  #partners(joining: Joining, key: number): readonly number[] {
    const found = this.#candidates(joining, key);
    const condition = this.#condition;
    if (condition === null || found.length === 0) return found;
    const { port, seq, rowtime } = joining;
    const other = this.#side(1 - port);
    const row = this.#rowOf(joining);
    const now = clockAt(this.#epoch as Epoch, seq);
    return found.filter(slot => {
      const theirs = other.rows.row(slot);
      const pair = port === LEFT ? [...row, ...theirs] : [...theirs, ...row];
      return condition.holds(pair, { rowtime: Math.max(rowtime, other.rowtime(slot)), seq, now });
    });
  }

  /** Rows of the other side with the key, but for those that the condition does not let through. */
  #candidates(joining: Joining, key: number): readonly number[] {
    const { port } = joining;
    if (this.#range === null || this.#ordered === null || key === NONE)
      return this.#side(1 - port).meeting(key);
    const column = port === LEFT ? this.#range.left : this.#range.right;
    return this.#ordered[port === LEFT ? RIGHT : LEFT].meeting(key, this.#valueOf(joining, column));
  }

  #valueOf({ port, slot, batch, i }: Joining, column: number): Value | null {
    if (slot !== NONE) return this.#side(port).rows.get(slot, column);
    return valueAt(batch.cols[column] as Vec, (batch.schema.columns[column] as Column).type, i);
  }

  #rowOf({ port, slot, batch, i }: Joining): Row {
    return slot === NONE ? rowAt(batch, i) : this.#side(port).rows.row(slot);
  }

  /** A row that a side keeps, at the moment of another. */
  #kept(port: number, slot: number, { batch, i, seq }: Joining): Joining {
    return { port, slot, batch, i, rowtime: this.#side(port).rowtime(slot), seq };
  }

  #key({ encoder }: JoinKeys, i: number): number {
    encoder.encode(i);
    const key = this.#index.slot(0, encoder.bytes, encoder.start, encoder.end);
    if (this.#index.index.isNew) for (const side of this.#sides) side.beginKey(key);
    return key;
  }

  #side(port: number): EquiSide {
    return this.#sides[port as 0 | 1];
  }

  /** The joined row of a row and one that the other side keeps. */
  #give(op: Op, joining: Joining, partner: number): void {
    const other = this.#side(1 - joining.port);
    this.#out.begin(op, joining.seq, Math.max(joining.rowtime, other.rowtime(partner)));
    if (joining.port === LEFT) this.#addRow(joining);
    this.#out.addKept(other.rows, partner);
    if (joining.port === RIGHT) this.#addRow(joining);
  }

  #giveNull(op: Op, joining: Joining): void {
    const { rows } = this.#side(1 - joining.port);
    this.#out.begin(op, joining.seq, joining.rowtime);
    if (joining.port === LEFT) this.#addRow(joining);
    this.#out.addKept(rows, NONE);
    if (joining.port === RIGHT) this.#addRow(joining);
  }

  #addRow({ port, slot, batch, i }: Joining): void {
    if (slot === NONE) this.#out.addVecs(batch.cols, i);
    else this.#out.addKept(this.#side(port).rows, slot);
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): EquiJoinState {
    const [left, right] = this.#sides;
    return { index: this.#index.state(part), left: left.state(part), right: right.state(part) };
  }

  load(state: unknown): void {
    const { index, left, right } = state as EquiJoinState;
    this.#index.load(index);
    this.#sides[LEFT].load(left);
    this.#sides[RIGHT].load(right);
    for (const ordered of this.#ordered ?? []) ordered.clear();
  }

  size(): { readonly rows: number; readonly bytes: number } {
    const sizes = this.#sides.map(side => side.size());
    return {
      rows: sizes.reduce((sum, s) => sum + s.rows, 0),
      bytes:
        sizes.reduce((sum, s) => sum + s.bytes, this.#index.bytes) +
        (this.#ordered ?? []).reduce((sum, o) => sum + o.bytes, 0),
    };
  }
}
