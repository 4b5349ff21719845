import type { Batch } from '../core/batch.ts';
import { bitAt } from '../core/bits.ts';
import { Op } from '../core/change.ts';
import type { Column, Schema } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import { rowAt } from '../core/vec.ts';
import type { Closure } from '../expr/closure.ts';
import { rowKey } from '../expr/value-key.ts';
import type { RelationKind, TemporalFilterNode } from '../plan/plan.ts';
import { ChangeBuilder } from './change-builder.ts';
import { type Moment, moments, rowIn } from './moments.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { RowContext } from './row-context.ts';
import { type Timed, TimeHeap } from './time-heap.ts';

interface Entry extends Timed {
  readonly row: Row;
  readonly rowtime: number;
  readonly text: string;
  /** visible while from <= clock < until */
  readonly from: number;
  readonly until: number;
  visible: boolean;
}

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
  readonly #rows: RowContext;
  readonly #from: Closure | null;
  readonly #until: Closure | null;
  readonly #upsert: boolean;
  /** a row that has entered stays for ever: nothing is kept of it */
  readonly #forgets: boolean;
  readonly #text: (row: Row) => string;
  readonly #out: ChangeBuilder;
  readonly #entries = new Map<string, Entry[]>();
  #moves = new TimeHeap<Entry>();
  #arrivals = 0;
  #kept = 0;

  constructor(node: TemporalFilterNode, context: OperatorContext, input: RelationKind) {
    this.id = node.id;
    this.#node = node;
    const bounds = [node.from, node.until].filter(e => e !== null);
    this.#rows = new RowContext(context, node.input.schema, bounds);
    this.#from = node.from === null ? null : this.#rows.compile(node.from);
    this.#until = node.until === null ? null : this.#rows.compile(node.until);
    this.#upsert = input === 'upsert';
    this.#forgets = input === 'append' && node.until === null;
    this.#text = textOf(node.schema, this.#upsert);
    this.#out = new ChangeBuilder(node.schema);
  }

  step(epoch: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    for (const moment of moments(epoch, input, () => this.#moves.first)) {
      this.#moveClock(moment);
      const { batch } = moment;
      if (batch === null) continue;
      for (let k = moment.from; k < moment.to; k++) this.#apply(epoch, moment, batch, rowIn(batch, k));
    }
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  #moveClock({ seq, now }: Moment): void {
    while (this.#moves.first <= now) {
      const entry = this.#moves.pop();
      if (!entry.visible && now < entry.until) {
        entry.visible = true;
        this.#out.push(this.#upsert ? Op.UPSERT : Op.ADD, seq, entry.rowtime, entry.row);
        if (this.#forgets) this.#remove(entry);
        else this.#plan(entry, entry.until);
        continue;
      }
      if (entry.visible) this.#leave(entry, seq, entry.rowtime);
      this.#remove(entry);
    }
  }

  #plan(entry: Entry, time: number): void {
    entry.time = time;
    if (Number.isFinite(time)) this.#moves.push(entry);
  }

  #leave(entry: Entry, seq: number, rowtime: number): void {
    if (!this.#upsert) {
      this.#out.push(Op.RETRACT, seq, entry.rowtime, entry.row);
      return;
    }
    const { key } = this.#node.schema;
    const bare = entry.row.map((value, c) => (key.includes(c) ? value : null));
    this.#out.push(Op.DELETE, seq, rowtime, bare);
  }

  #remove(entry: Entry): void {
    entry.gone = true;
    this.#kept--;
    this.#moves.prune(this.#kept);
    const list = (this.#entries.get(entry.text) ?? []).filter(e => e !== entry);
    if (list.length > 0) this.#entries.set(entry.text, list);
    else this.#entries.delete(entry.text);
  }

  #apply(epoch: Epoch, moment: Moment, batch: Batch, i: number): void {
    const op = batch.op === null ? Op.ADD : (batch.op[i] as Op);
    const row = rowAt(batch, i);
    const text = this.#text(row);
    const rowtime = batch.rowtime[i] as number;
    const old = op === Op.ADD ? undefined : this.#entries.get(text)?.at(-1);
    if (old !== undefined) this.#remove(old);
    if (op === Op.ADD || op === Op.UPSERT) {
      const values = this.#rows.load(epoch, batch, i);
      const from = this.#bound(this.#from, Number.NEGATIVE_INFINITY, values);
      const until = this.#bound(this.#until, Number.POSITIVE_INFINITY, values);
      const visible = from <= moment.now && moment.now < until;
      const settled = this.#forgets && visible;
      if (!settled && from < until && moment.now < until)
        this.#keep({ row, rowtime, text, from, until, visible });
      if (visible) {
        if (bitAt(batch.noValue, i)) this.#out.copy(op, batch, i);
        else this.#out.push(op, moment.seq, rowtime, row);
        return;
      }
    }
    if (old?.visible === true) this.#leave(old, moment.seq, rowtime);
  }

  #keep(part: Pick<Entry, 'row' | 'rowtime' | 'text' | 'from' | 'until' | 'visible'>): void {
    const entry: Entry = { ...part, gone: false, time: 0, order: this.#arrivals++ };
    this.#kept++;
    const list = this.#entries.get(entry.text);
    if (list !== undefined) list.push(entry);
    else this.#entries.set(entry.text, [entry]);
    this.#plan(entry, entry.visible ? entry.until : entry.from);
  }

  #bound(expr: Closure | null, absent: number, row: Row): number {
    if (expr === null) return absent;
    const value = expr(row, this.#rows);
    return value === null ? -absent : Number(value);
  }

  deadline(): number | null {
    return Number.isFinite(this.#moves.first) ? this.#moves.first : null;
  }

  state(): readonly Entry[] {
    return [...this.#entries.values()].flat().sort((a, b) => a.order - b.order);
  }

  load(state: unknown): void {
    this.#entries.clear();
    this.#moves = new TimeHeap<Entry>();
    this.#kept = 0;
    for (const entry of state as readonly Entry[]) this.#keep(entry);
  }

  size(): { readonly rows: number; readonly bytes: number } {
    const rows = this.#kept;
    const held = Math.max(rows, this.#moves.length);
    return { rows, bytes: held * (120 + 24 * this.#node.schema.columns.length) };
  }
}

/** The text under which a row is found again: of its key, or of all of it. */
function textOf(schema: Schema, upsert: boolean): (row: Row) => string {
  const key = upsert ? schema.key : [...schema.columns.keys()];
  const text = rowKey(key.map(i => (schema.columns[i] as Column).type));
  return row => text(key.map(i => row[i] ?? null));
}
