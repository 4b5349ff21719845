import { assert } from '../core/assert.ts';
import type { Batch, Vec } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Row } from '../core/value.ts';
import type { EmitFinalNode } from '../plan/plan.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder } from './change-builder.ts';
import { keyOrder } from './key-order.ts';
import { type Moment, moments, rowIn } from './moments.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { RowStore } from './row-store.ts';

interface EmitFinalState {
  readonly table: StateTableState;
  readonly laneTime: number;
}

const PENDING = 0;
const KEPT = 1;

/**
 * The last row of each window once, at the sequence that closes it, ordered by (window end, key). A window closes when
 * windowEnd + grace <= lane time (the largest event time that the changes show), or with CLOSE AFTER when the clock has
 * come to windowEnd + grace + closeAfter. In each sequence the clock moves first, then the changes are taken, then what
 * they closed is emitted, then rows past their RETENTION are deleted. What comes for a closed window is late.
 */
export class EmitFinal implements Operator {
  readonly id: string;
  readonly #node: EmitFinalNode;
  readonly #context: OperatorContext;
  readonly #rows: RowStore;
  readonly #table: StateTable;
  readonly #status: GrowingColumn;
  readonly #out: ChangeBuilder;
  readonly #order: (a: Row, b: Row) => number;
  /** slots by the time at which their window closes (pending), by windowEnd + retention (kept) */
  readonly #pending = new Due();
  readonly #kept = new Due();
  /** from WINDOWEND to the close: a session ends when nothing can join it any more */
  readonly #lag: number;
  #laneTime = Number.NEGATIVE_INFINITY;

  constructor(node: EmitFinalNode, context: OperatorContext, table: StateTable) {
    this.id = node.id;
    const { type, size, grace } = node.window;
    this.#lag = grace + (type === 'session' ? size + 1 : 0);
    this.#node = node;
    this.#context = context;
    this.#table = table;
    this.#rows = new RowStore(node.schema, table);
    this.#status = table.column('i32');
    this.#out = new ChangeBuilder(node.schema);
    this.#order = keyOrder(node.schema);
  }

  step(epoch: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    let begun: Batch | null = null;
    for (const moment of moments(epoch, input, () => this.deadline() ?? Number.POSITIVE_INFINITY)) {
      this.#emit(moment);
      if (moment.batch !== null) {
        if (moment.batch !== begun) this.#rows.begin(moment.batch);
        begun = moment.batch;
        this.#takeRows(moment, moment.batch);
      }
      this.#emit(moment);
      this.#expire(moment.seq);
    }
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  #takeRows(moment: Moment, batch: Batch): void {
    let lane = this.#laneTime;
    for (let k = moment.from; k < moment.to; k++) {
      const i = rowIn(batch, k);
      this.#take(moment, batch, i);
      lane = Math.max(lane, batch.rowtime[i] as number);
    }
    this.#laneTime = lane;
  }

  #take({ seq, now }: Moment, batch: Batch, i: number): void {
    const [startColumn = -1, endColumn = -1] = this.#node.schema.key.slice(-2);
    const end = integerAt(batch.cols[endColumn], i);
    const closes = end + this.#lag;
    const gone = batch.op !== null && batch.op[i] === Op.DELETE;
    if (this.#isClosed(closes, now)) {
      // the aggregate takes away what it keeps no longer; what was emitted stays
      if (gone) return;
      const start = integerAt(batch.cols[startColumn], i);
      this.#context.reject('late', seq, `${this.id}: window [${start}, ${end}) was emitted`);
      return;
    }
    if (gone) {
      const slot = this.#rows.find(i);
      if (slot >= 0) {
        this.#pending.remove(closes, slot);
        this.#table.drop(slot);
      }
      return;
    }
    const slot = this.#rows.put(batch, i);
    this.#status.i32[slot] = PENDING;
    this.#pending.add(closes, slot);
  }

  #isClosed(closes: number, now: number): boolean {
    const { closeAfter } = this.#node;
    return closes <= this.#laneTime || (closeAfter !== null && closes + closeAfter <= now);
  }

  #emit({ seq, now }: Moment): void {
    while (this.#isClosed(this.#pending.first, now)) {
      const closes = this.#pending.first;
      const end = closes - this.#lag;
      const { retention } = this.#node.window;
      for (const { slot, row } of this.#ordered(this.#pending.takeFirst())) {
        this.#out.push(Op.UPSERT, seq, this.#rows.rowtime.f64[slot] as number, row);
        if (retention === null) this.#table.drop(slot);
        else {
          this.#status.i32[slot] = KEPT;
          this.#table.touch(slot);
          this.#kept.add(end + retention, slot);
        }
      }
    }
  }

  #expire(seq: number): void {
    const { retention } = this.#node.window;
    while (retention !== null && this.#kept.first <= this.#laneTime) {
      for (const { slot, row } of this.#ordered(this.#kept.takeFirst())) {
        const bare = row.map((value, c) => (this.#node.schema.key.includes(c) ? value : null));
        this.#out.push(Op.DELETE, seq, this.#rows.rowtime.f64[slot] as number, bare);
        this.#table.drop(slot);
      }
    }
  }

  /** The rows of slots in key order. */
  #ordered(slots: Iterable<number>): { slot: number; row: Row }[] {
    return [...slots]
      .map(slot => ({ slot, row: this.#rows.row(slot) }))
      .sort((a, b) => this.#order(a.row, b.row));
  }

  deadline(): number | null {
    const { closeAfter } = this.#node;
    if (closeAfter === null || this.#pending.first === Number.POSITIVE_INFINITY) return null;
    return this.#pending.first + closeAfter;
  }

  state(part?: ChangedPart): EmitFinalState {
    return { table: this.#table.state(part), laneTime: this.#laneTime };
  }

  load(state: unknown): void {
    const { table, laneTime } = state as EmitFinalState;
    this.#table.load(table);
    this.#laneTime = laneTime;
    const { retention } = this.#node.window;
    const endColumn = this.#node.schema.key.at(-1) ?? -1;
    for (const slot of this.#table.slots()) {
      const end = Number(this.#rows.row(slot)[endColumn]);
      if (this.#status.i32[slot] === KEPT) this.#kept.add(end + (retention ?? 0), slot);
      else this.#pending.add(end + this.#lag, slot);
    }
  }

  size(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#table.rows, bytes: this.#table.bytes };
  }
}

/** Slots by a time, the earliest first. There are few times: windows that are open. */
class Due {
  readonly #slots = new Map<number, Set<number>>();
  first = Number.POSITIVE_INFINITY;

  add(time: number, slot: number): void {
    const slots = this.#slots.get(time);
    if (slots !== undefined) slots.add(slot);
    else this.#slots.set(time, new Set([slot]));
    if (time < this.first) this.first = time;
  }

  remove(time: number, slot: number): void {
    const slots = this.#slots.get(time);
    slots?.delete(slot);
    if (slots?.size === 0) this.#forget(time);
  }

  takeFirst(): ReadonlySet<number> {
    const slots = this.#slots.get(this.first) ?? new Set<number>();
    this.#forget(this.first);
    return slots;
  }

  #forget(time: number): void {
    this.#slots.delete(time);
    if (time > this.first) return;
    this.first = Number.POSITIVE_INFINITY;
    for (const left of this.#slots.keys()) if (left < this.first) this.first = left;
  }
}

function integerAt(vec: Vec | undefined, i: number): number {
  assert(vec?.t === 'i64', 'window bounds are BIGINT');
  return Number(vec.v[i]);
}
