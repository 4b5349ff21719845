import { assert } from '../core/assert.ts';
import type { Batch, Vec } from '../core/batch.ts';
import { bitAt } from '../core/bits.ts';
import { Op } from '../core/change.ts';
import type { Row, Value } from '../core/value.ts';
import { valueAt } from '../core/vec.ts';
import type { Expr } from '../expr/expr.ts';
import { rowKey } from '../expr/value-key.ts';
import type { AggregateNode, WindowSpec } from '../plan/plan.ts';
import { ChangeBuilder } from './change-builder.ts';
import { ComputedColumns } from './computed-columns.ts';
import { GroupFold, type GroupValues } from './group-fold.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';

interface Session {
  readonly keys: Row;
  readonly start: number;
  readonly end: number;
  readonly values: GroupValues;
  /** max event time over all rows ever */
  readonly rowtime: number;
}

interface Touched {
  readonly key: string;
  readonly keys: Row;
  readonly start: number;
  readonly end: number;
  readonly before: Session | null;
}

interface SessionState {
  readonly sessions: ReadonlyMap<string, readonly Session[]>;
  readonly laneTime: number;
}

/**
 * GROUP BY over session windows (append input only). A row joins all sessions of its key that lie within the gap; they
 * become one, from the first to the last event time: - old, + merged. Within one sequence: DELETE of each session that is
 * gone, UPSERT of each that is new or changed, in order of first touch.
 *
 * The row is late when the merged session has ended: last event + gap + grace < lane time.
 */
export class SessionAggregate implements Operator {
  readonly id: string;
  readonly #node: AggregateNode;
  readonly #spec: WindowSpec;
  readonly #context: OperatorContext;
  readonly #keys: ComputedColumns;
  readonly #keyText: (row: Row) => string;
  readonly #fold: GroupFold;
  readonly #out: ChangeBuilder;
  /** by key, ordered by start */
  #sessions = new Map<string, readonly Session[]>();
  #touched = new Map<string, Touched>();
  #laneTime = Number.NEGATIVE_INFINITY;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(node: AggregateNode, context: OperatorContext) {
    assert(node.window?.type === 'session', 'session aggregate without session window');
    this.id = node.id;
    this.#node = node;
    this.#spec = node.window;
    this.#context = context;
    this.#keys = new ComputedColumns(context, node.input.schema, node.keys);
    this.#keyText = rowKey(node.keys.map(key => key.type));
    this.#fold = new GroupFold(node, context);
    this.#out = new ChangeBuilder(node.schema);
  }

  step(epoch: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    let seq = epoch.firstSeq;
    for (const batch of input) {
      const keys = this.#keyColumns(epoch, batch);
      const n = batch.sel === null ? batch.n : batch.sel.length;
      for (let k = 0; k < n; k++) {
        const i = batch.sel === null ? k : (batch.sel[k] as number);
        if (batch.seq[i] !== seq) {
          this.#settle(seq);
          seq = batch.seq[i] as number;
        }
        this.#take(epoch, batch, i, keys);
      }
    }
    this.#settle(seq);
    this.#sweep();
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  #keyColumns(epoch: Epoch, batch: Batch): readonly Vec[] {
    const strict = this.#node.nullKeys === 'drop' && batch.noValue !== null;
    return this.#keys.of(epoch, batch, strict ? (_, row) => !bitAt(batch.noValue, row) : null);
  }

  #take(epoch: Epoch, batch: Batch, i: number, vecs: readonly Vec[]): void {
    const seq = batch.seq[i] as number;
    const strict = this.#node.nullKeys === 'drop';
    if (strict && bitAt(batch.noValue, i)) {
      this.#context.reject('null_key', seq, `${this.id}: record without value`);
      return;
    }
    const keys = vecs.map((vec, c): Value | null => valueAt(vec, (this.#node.keys[c] as Expr).type, i));
    if (strict && keys.includes(null)) {
      this.#context.reject('null_key', seq, `${this.id}: NULL in the group key`);
      return;
    }
    const time = batch.rowtime[i] as number;
    this.#laneTime = Math.max(this.#laneTime, time);
    const key = this.#keyText(keys);
    const all = this.#sessions.get(key) ?? [];
    const { size, grace } = this.#spec;
    const joined = all.filter(s => s.end + size >= time && s.start - size <= time);
    const start = joined.reduce((least, s) => Math.min(least, s.start), time);
    const end = joined.reduce((most, s) => Math.max(most, s.end), time);
    if (end + size + 1 + grace <= this.#laneTime) {
      this.#context.reject('late', seq, `${this.id}: session [${start}, ${end}] is closed`);
      return;
    }
    for (const session of joined) this.#touch(key, keys, session.start, session.end);
    this.#touch(key, keys, start, end);
    const [first, ...rest] = joined.map(s => s.values);
    const values = rest.reduce((a, b) => this.#fold.merge(a, b), first ?? this.#fold.init());
    this.#fold.add(values, epoch, batch, i);
    const rowtime = joined.reduce((most, s) => Math.max(most, s.rowtime), time);
    const others = all.filter(s => !joined.includes(s));
    const merged: Session = { keys, start, end, values, rowtime };
    this.#sessions.set(
      key,
      [...others, merged].sort((a, b) => a.start - b.start),
    );
  }

  #touch(key: string, keys: Row, start: number, end: number): void {
    const text = `${key}@${start}-${end}`;
    if (this.#touched.has(text)) return;
    this.#touched.set(text, { key, keys, start, end, before: this.#find(key, start, end) });
  }

  #find(key: string, start: number, end: number): Session | null {
    return this.#sessions.get(key)?.find(s => s.start === start && s.end === end) ?? null;
  }

  #settle(seq: number): void {
    if (this.#touched.size === 0) return;
    for (const { key, keys, start, end, before } of this.#touched.values()) {
      const after = this.#find(key, start, end);
      const head = [...keys, BigInt(start), BigInt(end)];
      if (after !== null) {
        this.#out.push(Op.UPSERT, seq, after.rowtime, [...head, ...this.#fold.results(after.values)]);
      } else if (before !== null) {
        this.#out.push(Op.DELETE, seq, before.rowtime, head);
      }
    }
    this.#touched = new Map();
  }

  /**
   * Lets go of sessions that no row can reach any more: not one that joins them alone (it would be late), nor one that
   * joins them to a later session, there or still to come.
   */
  #sweep(): void {
    const { size, grace } = this.#spec;
    if (this.#laneTime < this.#sweptAt + size + grace + 1) return;
    this.#sweptAt = this.#laneTime;
    for (const [key, sessions] of this.#sessions) {
      let gone = 0;
      for (const [i, session] of sessions.entries()) {
        const next = sessions[i + 1];
        if (session.end + 3 * size + 1 + grace > this.#laneTime) break;
        if (next !== undefined && next.start <= session.end + 2 * size) break;
        gone = i + 1;
      }
      if (gone === sessions.length) this.#sessions.delete(key);
      else if (gone > 0) this.#sessions.set(key, sessions.slice(gone));
    }
  }

  deadline(): number | null {
    return null;
  }

  state(): SessionState {
    return { sessions: this.#sessions, laneTime: this.#laneTime };
  }

  load(state: unknown): void {
    const { sessions, laneTime } = state as SessionState;
    this.#sessions = new Map(sessions);
    this.#laneTime = laneTime;
  }

  size(): { readonly rows: number; readonly bytes: number } {
    let rows = 0;
    for (const list of this.#sessions.values()) rows += list.length;
    return { rows, bytes: rows * 200 };
  }
}
