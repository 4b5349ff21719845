import { assert } from '../core/assert.ts';
import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Row } from '../core/value.ts';
import { rowAt } from '../core/vec.ts';
import type { EquiJoinNode } from '../plan/plan.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder } from './change-builder.ts';
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

/** A row of one side, as it joins. */
interface Joining {
  readonly port: number;
  readonly row: Row;
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
    this.#out = new ChangeBuilder(node.schema);
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
    const joining = { port, row: rowAt(batch, i), rowtime: batch.rowtime[i] as number, seq };
    const own = this.#side(port);
    const other = this.#side(1 - port);
    own.keys.report(seq, i);
    const key = own.keys.encoder.hasNull(i) ? NONE : this.#key(own.keys, i);
    const partners = this.#partners(joining, key);
    const slot = own.add(batch, i, key);
    this.#ordered?.[port as 0 | 1].add(slot, key);
    for (const partner of partners) {
      const theirs = this.#kept(1 - port, partner, seq);
      if (other.countMet(partner, 1) === 0 && other.preserved) this.#giveNull(Op.RETRACT, theirs);
      own.countMet(slot, 1);
      this.#give(Op.ADD, joining, theirs);
    }
    if (own.preserved && partners.length === 0) this.#giveNull(Op.ADD, joining);
  }

  #retract(port: number, batch: Batch, i: number): void {
    const own = this.#side(port);
    const other = this.#side(1 - port);
    const slot = own.take(i);
    if (slot === NONE) return;
    const joining = this.#kept(port, slot, batch.seq[i] as number);
    const key = own.keyOf(slot);
    this.#ledger.silent = true;
    const partners = this.#partners(joining, key);
    this.#ledger.silent = false;
    for (const partner of partners) {
      const theirs = this.#kept(1 - port, partner, joining.seq);
      this.#give(Op.RETRACT, joining, theirs);
      if (other.countMet(partner, -1) === 1 && other.preserved) this.#giveNull(Op.ADD, theirs);
    }
    if (own.preserved && own.met(slot) === 0) this.#giveNull(Op.RETRACT, joining);
    this.#ordered?.[port as 0 | 1].remove(slot, key);
    own.drop(slot);
    if (key !== NONE && !own.hasRows(key) && !other.hasRows(key)) this.#index.drop(key);
  }

  /** The rows of the other side that a row meets, in order of arrival. */
  #partners(joining: Joining, key: number): readonly number[] {
    const port = 1 - joining.port;
    const found = this.#candidates(joining, key);
    const condition = this.#condition;
    if (condition === null || found.length === 0) return found;
    const { seq } = joining;
    const now = clockAt(this.#epoch as Epoch, seq);
    return found.filter(slot => {
      const partner = this.#kept(port, slot, seq);
      const rowtime = Math.max(joining.rowtime, partner.rowtime);
      return condition.holds(joined(joining, partner), { rowtime, seq, now });
    });
  }

  /** Rows of the other side with the key, but for those that the condition does not let through. */
  #candidates({ port, row }: Joining, key: number): readonly number[] {
    if (this.#range === null || this.#ordered === null || key === NONE)
      return this.#side(1 - port).meeting(key);
    const value = row[port === LEFT ? this.#range.left : this.#range.right] ?? null;
    return this.#ordered[port === LEFT ? RIGHT : LEFT].meeting(key, value);
  }

  #kept(port: number, slot: number, seq: number): Joining {
    const side = this.#side(port);
    return { port, row: side.rows.row(slot), rowtime: side.rowtime(slot), seq };
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

  #give(op: Op, joining: Joining, partner: Joining): void {
    const rowtime = Math.max(joining.rowtime, partner.rowtime);
    this.#out.push(op, joining.seq, rowtime, joined(joining, partner));
  }

  #giveNull(op: Op, { port, row, rowtime, seq }: Joining): void {
    const { nulls } = this.#side(1 - port).rows;
    this.#out.push(op, seq, rowtime, port === LEFT ? [...row, ...nulls] : [...nulls, ...row]);
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

function joined(joining: Joining, partner: Joining): Row {
  return joining.port === LEFT ? [...joining.row, ...partner.row] : [...partner.row, ...joining.row];
}
