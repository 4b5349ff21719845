import { assert } from '../core/assert.ts';
import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { StreamStreamJoinNode } from '../plan/plan.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder, JOIN_LIMIT } from './change-builder.ts';
import { JoinKeys } from './join-keys.ts';
import { JoinSide, type JoinSideState } from './join-side.ts';
import { type PortReader, readPorts } from './merged-ports.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';

const LEFT = 0;
const NONE = -1;

export interface StreamStreamJoinTables {
  /** join keys that have rows on either side */
  readonly index: StateTable;
  readonly left: StateTable;
  readonly right: StateTable;
}

interface StreamStreamJoinState {
  readonly index: StateTableState;
  readonly left: JoinSideState;
  readonly right: JoinSideState;
  readonly jointTime: number;
  readonly arrivals: number;
}

/**
 * Streams A and B, rows of equal keys whose times are near: out = dA*B + A'*dB, each row against what the other side keeps
 * when it arrives, so every pair is met once, by its later row. What the window and grace have passed is let go; then an
 * unmatched row of a preserved side gives its null row (eager: at once). Contract: {@link StreamStreamJoinNode}.
 */
export class StreamStreamJoin implements Operator, PortReader {
  readonly id: string;
  readonly #node: StreamStreamJoinNode;
  readonly #context: OperatorContext;
  readonly #index: StateTable;
  readonly #left: JoinSide;
  readonly #right: JoinSide;
  readonly #out: ChangeBuilder;
  #epoch: Epoch | null = null;
  #jointTime = Number.NEGATIVE_INFINITY;
  #arrivals = 0;

  constructor(node: StreamStreamJoinNode, context: OperatorContext, tables: StreamStreamJoinTables) {
    this.id = node.id;
    this.#index = tables.index;
    this.#node = node;
    this.#context = context;
    const { before, after, grace, type } = node;
    const side = (name: 'left' | 'right', reach: { before: number; after: number }): JoinSide =>
      new JoinSide({
        ...reach,
        input: node[name],
        exprs: node[`${name}Keys`],
        keys: new JoinKeys(node.id, context, node[name].schema, node[`${name}Keys`]),
        table: tables[name],
        index: tables.index,
        preserved: type === name || type === 'full',
        keep: before + after + grace,
        wait: reach.after + grace,
      });
    this.#left = side('left', { before, after });
    this.#right = side('right', { before: after, after: before });
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
    this.#side(port).keys.begin(this.#epoch, batch);
  }

  take(port: number, batch: Batch, i: number): void {
    const mine = this.#side(port);
    if (!mine.keys.present(batch, i)) return;
    const seq = batch.seq[i] as number;
    const time = batch.rowtime[i] as number;
    const arrival = this.#arrivals++;
    mine.laneTime = Math.max(mine.laneTime, time);
    this.#jointTime = Math.max(this.#jointTime, time);
    mine.expire(key => this.#dropEmpty(key));
    this.#giveDue(seq);
    const key = this.#key(mine.keys, i);
    const met = this.#meet(key, mine, batch, i);
    const fresh = mine.keeps(time);
    let waits = false;
    if (!met && mine.preserved) {
      waits = !this.#node.eager && fresh && !mine.isDue(time, this.#jointTime);
      if (!waits) this.#giveAtOnce(mine, batch, i);
    }
    if (fresh) mine.add(key, batch, i, { arrival, waits });
    else {
      const side = mine === this.#left ? 'left' : 'right';
      this.#context.reject('late', seq, `${this.id}: a ${side} row came too late to wait for others`);
      this.#dropEmpty(key);
    }
  }

  settle(): void {}

  /** Gives a row with each that is near on the other side; whether there was one. */
  #meet(key: number, mine: JoinSide, batch: Batch, i: number): boolean {
    const other = this.#otherThan(mine);
    const time = batch.rowtime[i] as number;
    const near = other.near(key, time - mine.before, time + mine.after);
    for (const slot of near) {
      other.matched(slot);
      this.#out.begin(Op.ADD, batch.seq[i] as number, Math.max(time, other.time(slot)));
      if (mine === this.#left) this.#out.addVecs(batch.cols, i);
      this.#out.addKept(other.rows, slot);
      if (mine === this.#right) this.#out.addVecs(batch.cols, i);
      this.#out.addVecs(mine.keys.vecs, i);
    }
    return near.length > 0;
  }

  /** The null row of row i. */
  #giveAtOnce(mine: JoinSide, batch: Batch, i: number): void {
    const other = this.#otherThan(mine);
    this.#out.begin(Op.ADD, batch.seq[i] as number, batch.rowtime[i] as number);
    if (mine === this.#left) this.#out.addVecs(batch.cols, i);
    this.#out.addKept(other.rows, NONE);
    if (mine === this.#right) this.#out.addVecs(batch.cols, i);
    this.#out.addVecs(mine.keys.vecs, i);
  }

  /** The null rows that the joint lane time has passed, of both sides in one order. */
  #giveDue(seq: number): void {
    if (!this.#left.hasDue(this.#jointTime) && !this.#right.hasDue(this.#jointTime)) return;
    const due = [this.#left, this.#right].flatMap(side =>
      side.takeDue(this.#jointTime).map(slot => ({ side, slot, time: side.time(slot) })),
    );
    due.sort((a, b) => a.time - b.time || a.side.arrival(a.slot) - b.side.arrival(b.slot));
    for (const { side, slot, time } of due) {
      this.#out.begin(Op.ADD, seq, time);
      this.#out.addKept(this.#left.rows, side === this.#left ? slot : NONE);
      this.#out.addKept(this.#right.rows, side === this.#right ? slot : NONE);
      this.#out.addValues(side.keyOf(slot));
    }
    for (const { side, slot } of due) side.given(slot);
  }

  #side(port: number): JoinSide {
    return port === LEFT ? this.#left : this.#right;
  }

  #otherThan(side: JoinSide): JoinSide {
    return side === this.#left ? this.#right : this.#left;
  }

  #key({ encoder }: JoinKeys, i: number): number {
    encoder.encode(i);
    const key = this.#index.slot(0, encoder.bytes, encoder.start, encoder.end);
    if (this.#index.index.isNew) {
      this.#left.beginKey(key);
      this.#right.beginKey(key);
    }
    return key;
  }

  #dropEmpty(key: number): void {
    if (!this.#left.hasRows(key) && !this.#right.hasRows(key)) this.#index.drop(key);
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): StreamStreamJoinState {
    return {
      index: this.#index.state(part),
      left: this.#left.state(part),
      right: this.#right.state(part),
      jointTime: this.#jointTime,
      arrivals: this.#arrivals,
    };
  }

  load(state: unknown): void {
    const { index, left, right, jointTime, arrivals } = state as StreamStreamJoinState;
    this.#index.load(index);
    this.#left.load(left);
    this.#right.load(right);
    this.#jointTime = jointTime;
    this.#arrivals = arrivals;
  }

  /** rows that are kept or wait, on both sides */
  size(): { readonly rows: number; readonly bytes: number } {
    const sizes = [this.#left.size(), this.#right.size()];
    return {
      rows: sizes.reduce((sum, s) => sum + s.rows, 0),
      bytes: sizes.reduce((sum, s) => sum + s.bytes, this.#index.bytes),
    };
  }
}
