import type { Batch } from '../core/batch.ts';
import { bitAt } from '../core/bits.ts';
import { Op } from '../core/change.ts';
import type { Row } from '../core/value.ts';
import { rowAt } from '../core/vec.ts';
import type { Closure } from '../expr/closure.ts';
import type { RelationKind, TemporalFilterNode } from '../plan/plan.ts';
import type { ChangedPart } from '../state/state-section.ts';
import { ChangeBuilder } from './change-builder.ts';
import { DueHeap } from './due-heap.ts';
import { type Moment, moments, rowIn } from './moments.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { RowContext } from './row-context.ts';
import { TimedRows, type TimedRowsState, type TimedRowsTables } from './timed-rows.ts';

/**
 * Rows that are visible while the clock is in [from, until). In each sequence the clock moves first: rows leave or enter
 * in order of the time at which they do, rows of one time in order of arrival. Then the input's changes are applied.
 *
 * - over upsert: entering is UPSERT, leaving DELETE; a new row of a key takes the place of the old one
 * - else: entering is ADD, leaving RETRACT; a RETRACT of the input takes away the last equal row
 *
 * A row that enters and leaves between two readings of the clock was never seen. A bound that is NULL hides the row.
 */
export class TemporalFilter implements Operator {
  readonly id: string;
  readonly #node: TemporalFilterNode;
  readonly #context: RowContext;
  readonly #from: Closure | null;
  readonly #until: Closure | null;
  readonly #upsert: boolean;
  /** a row that has entered stays for ever: nothing is kept of it */
  readonly #forgets: boolean;
  readonly #rows: TimedRows;
  readonly #moves: DueHeap;
  readonly #out: ChangeBuilder;

  constructor(
    node: TemporalFilterNode,
    context: OperatorContext,
    input: RelationKind,
    tables: TimedRowsTables,
  ) {
    this.id = node.id;
    this.#node = node;
    const bounds = [node.from, node.until].filter(e => e !== null);
    this.#context = new RowContext(context, node.input.schema, bounds);
    this.#from = node.from === null ? null : this.#context.compile(node.from);
    this.#until = node.until === null ? null : this.#context.compile(node.until);
    this.#upsert = input === 'upsert';
    this.#forgets = input === 'append' && node.until === null;
    this.#rows = new TimedRows(node.schema, input, tables);
    this.#moves = new DueHeap((slot, order) => this.#rows.holds(slot, order));
    this.#out = new ChangeBuilder(node.schema);
  }

  step(epoch: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    let begun: Batch | null = null;
    for (const moment of moments(epoch, input, () => this.#moves.first)) {
      this.#moveClock(moment);
      const { batch } = moment;
      if (batch === null) continue;
      if (batch !== begun) this.#rows.begin(batch);
      begun = batch;
      for (let k = moment.from; k < moment.to; k++) this.#apply(epoch, moment, batch, rowIn(batch, k));
    }
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  #moveClock({ seq, now }: Moment): void {
    const { visible, until, rowtime } = this.#rows;
    while (this.#moves.first <= now) {
      const slot = this.#moves.pop();
      const time = rowtime.f64[slot] as number;
      if (visible.i32[slot] === 0 && now < (until.f64[slot] as number)) {
        this.#out.push(this.#upsert ? Op.UPSERT : Op.ADD, seq, time, this.#rows.row(slot));
        if (this.#forgets) this.#remove(slot);
        else {
          this.#rows.show(slot);
          this.#plan(slot);
        }
        continue;
      }
      if (visible.i32[slot] === 1) this.#leave(this.#rows.row(slot), seq, time);
      this.#remove(slot);
    }
  }

  /** The row's next move: out when it is visible, else in. */
  #plan(slot: number): void {
    const { visible, until, from, order } = this.#rows;
    const time = (visible.i32[slot] === 1 ? until : from).f64[slot] as number;
    if (Number.isFinite(time)) this.#moves.push(time, order.f64[slot] as number, slot);
  }

  /** `rowtime`: of a RETRACT the one that the row came with. */
  #leave(row: Row, seq: number, rowtime: number): void {
    if (!this.#upsert) {
      this.#out.push(Op.RETRACT, seq, rowtime, row);
      return;
    }
    const { key } = this.#node.schema;
    this.#out.push(
      Op.DELETE,
      seq,
      rowtime,
      row.map((value, c) => (key.includes(c) ? value : null)),
    );
  }

  #remove(slot: number): void {
    this.#rows.drop(slot);
    this.#moves.prune(this.#rows.size);
  }

  #apply(epoch: Epoch, moment: Moment, batch: Batch, i: number): void {
    const op = batch.op === null ? Op.ADD : (batch.op[i] as Op);
    const rowtime = batch.rowtime[i] as number;
    const left = op === Op.ADD ? null : this.#takeOld(i, rowtime);
    if (op === Op.ADD || op === Op.UPSERT) {
      const values = this.#context.load(epoch, batch, i);
      const from = this.#bound(this.#from, Number.NEGATIVE_INFINITY, values);
      const until = this.#bound(this.#until, Number.POSITIVE_INFINITY, values);
      const visible = from <= moment.now && moment.now < until;
      const settled = this.#forgets && visible;
      if (!settled && from < until && moment.now < until) this.#keep(batch, i, { from, until, visible });
      if (visible) {
        if (bitAt(batch.noValue, i)) this.#out.copy(op, batch, i);
        else this.#out.push(op, moment.seq, rowtime, rowAt(batch, i));
        return;
      }
    }
    if (left !== null) this.#leave(left.row, moment.seq, left.rowtime);
  }

  /** Forgets the row that row i replaces or takes away; what it was, when it was visible. */
  #takeOld(i: number, rowtime: number): { readonly row: Row; readonly rowtime: number } | null {
    const old = this.#rows.last(i);
    if (old < 0) return null;
    const visible = this.#rows.visible.i32[old] === 1;
    const left = {
      row: visible ? this.#rows.row(old) : [],
      rowtime: this.#upsert ? rowtime : (this.#rows.rowtime.f64[old] as number),
    };
    this.#remove(old);
    return visible ? left : null;
  }

  #keep(
    batch: Batch,
    i: number,
    { from, until, visible }: { from: number; until: number; visible: boolean },
  ): void {
    const slot = this.#rows.keep(batch, i);
    this.#rows.from.f64[slot] = from;
    this.#rows.until.f64[slot] = until;
    this.#rows.visible.i32[slot] = visible ? 1 : 0;
    this.#plan(slot);
  }

  #bound(expr: Closure | null, absent: number, row: Row): number {
    if (expr === null) return absent;
    const value = expr(row, this.#context);
    return value === null ? -absent : Number(value);
  }

  deadline(): number | null {
    const { first } = this.#moves;
    return Number.isFinite(first) ? first : null;
  }

  state(part?: ChangedPart): TimedRowsState {
    return this.#rows.state(part);
  }

  load(state: unknown): void {
    this.#rows.load(state as TimedRowsState);
    for (const slot of this.#rows.slots()) this.#plan(slot);
  }

  size(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#rows.size, bytes: this.#rows.bytes + this.#moves.bytes };
  }
}
