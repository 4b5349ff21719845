import { assert } from '../core/assert.ts';
import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Row } from '../core/value.ts';
import { rowAt } from '../core/vec.ts';
import type { SemiJoinNode } from '../plan/plan.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder, JOIN_LIMIT } from './change-builder.ts';
import { EquiSide, type EquiSideState } from './equi-side.ts';
import { Condition, Ledger } from './join-condition.ts';
import { JoinKeys } from './join-keys.ts';
import { type PortReader, readPorts } from './merged-ports.ts';
import { clockAt, type Epoch, type Operator, type OperatorContext } from './operator.ts';

const LEFT = 0;
const RIGHT = 1;
const NONE = -1;

interface SemiJoinState {
  readonly index: StateTableState;
  readonly left: EquiSideState;
  readonly right: EquiSideState | null;
}

/**
 * Left rows by whether they meet any right row. Without a condition it is the join key that is met or not: right rows are
 * counted by key, and only the first and the last one of a key cost more. With one, right rows are kept, and each left row
 * counts those that it meets. The contract stands on {@link SemiJoinNode}.
 */
export class SemiJoin implements Operator, PortReader {
  readonly id: string;
  readonly #type: SemiJoinNode['type'];
  /** join keys that have rows on either side */
  readonly #index: StateTable;
  readonly #left: EquiSide;
  /** null: its rows are counted by key */
  readonly #right: EquiSide | null;
  readonly #rightKeys: JoinKeys;
  readonly #rights: GrowingColumn;
  readonly #condition: Condition | null;
  readonly #out: ChangeBuilder;
  readonly #ledger: Ledger;
  #epoch: Epoch | null = null;

  /** `table` gives a fresh table of state. */
  constructor(node: SemiJoinNode, context: OperatorContext, table: () => StateTable) {
    this.id = node.id;
    this.#type = node.type;
    this.#ledger = new Ledger(context);
    this.#index = table();
    const side = (name: 'left' | 'right'): EquiSide =>
      new EquiSide({
        schema: node[name].schema,
        keys: new JoinKeys(node.id, context, node[name].schema, node[`${name}Keys`]),
        preserved: false,
        index: this.#index,
        rows: table(),
        distinct: table(),
      });
    this.#left = side('left');
    this.#condition = node.condition === null ? null : new Condition(node.condition, this.#ledger.context);
    this.#right = this.#condition === null ? null : side('right');
    this.#rightKeys = this.#right?.keys ?? new JoinKeys(node.id, context, node.right.schema, node.rightKeys);
    this.#rights = this.#index.column('f64');
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
    if (port === LEFT) this.#left.begin(this.#epoch, batch);
    else if (this.#right !== null) this.#right.begin(this.#epoch, batch);
    else this.#rightKeys.begin(this.#epoch, batch);
  }

  settle(): void {}

  take(port: number, batch: Batch, i: number): void {
    const taken = batch.op?.[i] === Op.RETRACT;
    this.#ledger.silent = taken;
    if (port === LEFT) {
      if (taken) this.#takeAwayLeft(i, batch.seq[i] as number);
      else this.#addLeft(batch, i);
    } else if (this.#right === null) this.#count(batch, i, taken ? -1 : 1);
    else if (taken) this.#takeAwayRight(this.#right, i, batch.seq[i] as number);
    else this.#addRight(this.#right, batch, i);
    this.#ledger.silent = false;
  }

  #addLeft(batch: Batch, i: number): void {
    const seq = batch.seq[i] as number;
    this.#left.keys.report(seq, i);
    const slot = this.#left.add(batch, i, this.#key(this.#left.keys, i));
    if (this.#right !== null) {
      const rights = this.#right
        .meeting(this.#left.keyOf(slot))
        .filter(right => this.#meets(slot, right, seq));
      if (rights.length > 0) this.#left.countMet(slot, rights.length);
    }
    this.#see(Op.ADD, { row: rowAt(batch, i), rowtime: batch.rowtime[i] as number, seq }, this.#isMet(slot));
  }

  #takeAwayLeft(i: number, seq: number): void {
    const slot = this.#left.take(i);
    if (slot === NONE) return;
    const key = this.#left.keyOf(slot);
    this.#see(Op.RETRACT, this.#kept(slot, seq), this.#isMet(slot));
    this.#left.drop(slot);
    this.#letGo(key);
  }

  /** One right row more or less of its key, where only their number counts. */
  #count(batch: Batch, i: number, by: 1 | -1): void {
    const seq = batch.seq[i] as number;
    if (by > 0) this.#rightKeys.report(seq, i);
    const key = this.#key(this.#rightKeys, i);
    if (key === NONE) return;
    const n = (this.#rights.f64[key] as number) + by;
    this.#rights.f64[key] = n;
    if (n === (by > 0 ? 1 : 0)) for (const left of this.#left.meeting(key)) this.#turn(left, by > 0, seq);
    this.#letGo(key);
  }

  #addRight(rights: EquiSide, batch: Batch, i: number): void {
    const seq = batch.seq[i] as number;
    rights.keys.report(seq, i);
    const key = this.#key(rights.keys, i);
    const slot = rights.add(batch, i, key);
    for (const left of this.#left.meeting(key)) {
      if (this.#meets(left, slot, seq) && this.#left.countMet(left, 1) === 0) this.#turn(left, true, seq);
    }
  }

  #takeAwayRight(rights: EquiSide, i: number, seq: number): void {
    const slot = rights.take(i);
    if (slot === NONE) return;
    const key = rights.keyOf(slot);
    for (const left of this.#left.meeting(key)) {
      if (this.#meets(left, slot, seq) && this.#left.countMet(left, -1) === 1) this.#turn(left, false, seq);
    }
    rights.drop(slot);
    this.#letGo(key);
  }

  #isMet(left: number): boolean {
    if (this.#right !== null) return this.#left.met(left) > 0;
    const key = this.#left.keyOf(left);
    return key !== NONE && (this.#rights.f64[key] as number) > 0;
  }

  #meets(left: number, right: number, seq: number): boolean {
    const rights = this.#right as EquiSide;
    const row = [...this.#left.rows.row(left), ...rights.rows.row(right)];
    const rowtime = Math.max(this.#left.rowtime(left), rights.rowtime(right));
    const now = clockAt(this.#epoch as Epoch, seq);
    return (this.#condition as Condition).holds(row, { rowtime, seq, now });
  }

  /** A left row has met its first row, or has lost its last one. */
  #turn(left: number, met: boolean, seq: number): void {
    const kept = this.#kept(left, seq);
    this.#see(Op.RETRACT, kept, !met);
    this.#see(Op.ADD, kept, met);
  }

  #see(
    op: Op,
    { row, rowtime, seq }: { readonly row: Row; readonly rowtime: number; readonly seq: number },
    met: boolean,
  ): void {
    if (this.#type === 'mark') this.#out.push(op, seq, rowtime, [...row, met]);
    else if (met === (this.#type === 'semi')) this.#out.push(op, seq, rowtime, row);
  }

  #kept(left: number, seq: number): { readonly row: Row; readonly rowtime: number; readonly seq: number } {
    return { row: this.#left.rows.row(left), rowtime: this.#left.rowtime(left), seq };
  }

  /** The slot of a row's join key; none when it has a NULL. */
  #key({ encoder }: JoinKeys, i: number): number {
    if (encoder.hasNull(i)) return NONE;
    encoder.encode(i);
    const key = this.#index.slot(0, encoder.bytes, encoder.start, encoder.end);
    if (this.#index.index.isNew) {
      this.#left.beginKey(key);
      this.#right?.beginKey(key);
      this.#rights.f64[key] = 0;
    }
    return key;
  }

  #letGo(key: number): void {
    if (key === NONE || this.#left.hasRows(key)) return;
    const has = this.#right === null ? (this.#rights.f64[key] as number) > 0 : this.#right.hasRows(key);
    if (!has) this.#index.drop(key);
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): SemiJoinState {
    return {
      index: this.#index.state(part),
      left: this.#left.state(part),
      right: this.#right?.state(part) ?? null,
    };
  }

  load(state: unknown): void {
    const { index, left, right } = state as SemiJoinState;
    this.#index.load(index);
    this.#left.load(left);
    if (right !== null) this.#right?.load(right);
  }

  size(): { readonly rows: number; readonly bytes: number } {
    const [left, right] = [this.#left.size(), this.#right?.size() ?? { rows: 0, bytes: 0 }];
    return { rows: left.rows + right.rows, bytes: left.bytes + right.bytes + this.#index.bytes };
  }
}
