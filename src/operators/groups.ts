import { assert } from '../core/assert.ts';
import type { Batch, Vec } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import { ColumnMemory } from '../core/column-memory.ts';
import type { Schema } from '../core/schema.ts';
import { KEPT_ROWS, wordsOf } from '../core/vec.ts';
import type { AggregateNode } from '../plan/plan.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { StateTable } from '../state/state-table.ts';
import type { Accumulator, Pairs } from './accumulators/accumulator.ts';
import { accumulatorFor } from './accumulators/accumulator-for.ts';
import type { KeyReader } from './key-readers.ts';
import { KeyedTable } from './keyed-table.ts';
import type { OperatorContext } from './operator.ts';

export interface GroupsOptions {
  readonly node: AggregateNode;
  readonly context: OperatorContext;
  readonly table: StateTable;
  /** rows are taken away too */
  readonly retracting: boolean;
  /** no group ever ends but with its window */
  readonly onlyGrows: boolean;
}

/**
 * The groups of an aggregate: per slot its key, window start, accumulators and the largest event time.
 * A group that is gone keeps its slot until `collect`, so that bytes of its key stay where emitted columns point.
 */
export class Groups {
  readonly keyed: KeyedTable;
  readonly accumulators: readonly Accumulator[];
  readonly rowtime: GrowingColumn;
  /** how many rows the group has; null: groups lose none, so none becomes empty */
  readonly rows: GrowingColumn | null;
  /** whether the slot has a group; null: a group stays as long as its slot */
  readonly #live: GrowingColumn | null;
  #shown: GrowingColumn | null = null;
  readonly #schema: Schema;
  readonly #windowSize: number | null;
  readonly #keys: KeyReader;
  readonly #table: StateTable;
  #gone: number[] = [];
  // the changes collected for output
  #n = 0;
  /** for groups emitted one by one: the next ones take their place */
  #single: Emitted = emitted(0);
  #out = this.#single;
  /** of groups emitted all together: their times, and the columns of their windows */
  readonly #times = new ColumnMemory();
  readonly #starts = new ColumnMemory();
  readonly #ends = new ColumnMemory();

  constructor({ node, context, table, retracting, onlyGrows }: GroupsOptions) {
    this.#table = table;
    this.#schema = node.schema;
    this.#windowSize = node.window?.size ?? null;
    this.keyed = new KeyedTable(
      node.keys.map(k => k.type),
      table,
    );
    this.rowtime = table.column('f64');
    this.rows = retracting ? table.column('f64') : null;
    this.#live = onlyGrows ? null : table.column('i32');
    this.accumulators = node.aggregates.map(call =>
      accumulatorFor({ call, context, table, schema: node.input.schema, retracting }),
    );
    this.#keys = this.keyed.reader();
  }

  /** A filter above decides whether a group has a row outside: `shown` is kept from the first group on. */
  tracksShown(): void {
    this.#shown ??= this.#table.column('i32');
  }

  get shown(): GrowingColumn {
    assert(this.#shown !== null, 'no filter above');
    return this.#shown;
  }

  get size(): number {
    return this.#table.rows;
  }

  /** The group of row i's key in a window, made (empty) when there is none. */
  slot(start: number, keys: readonly Vec[], i: number): number {
    const slot = this.keyed.slot(start, i);
    this.wasNew = this.#table.index.isNew || this.#live?.i32[slot] === 0;
    if (this.wasNew) this.begin(slot, keys, i);
    return slot;
  }

  /** An empty group in a slot that is new or whose group has ended. */
  begin(slot: number, keys: readonly Vec[], i: number): void {
    if (this.#shown !== null && this.#table.index.isNew) this.#shown.i32[slot] = 0;
    this.keyed.keep(slot, keys, i);
    if (this.#live !== null) this.#live.i32[slot] = 1;
    if (this.rows !== null) this.rows.f64[slot] = 0;
    this.rowtime.f64[slot] = Number.NEGATIVE_INFINITY;
    for (const accumulator of this.accumulators) accumulator.reset(slot);
  }

  /** whether the last `slot` made the group */
  wasNew = false;

  lives(slot: number): boolean {
    return this.#live === null || this.#live.i32[slot] === 1;
  }

  /** The group is no more; a new one may come in its place. */
  end(slot: number): void {
    assert(this.#live !== null, 'these groups only grow');
    this.#table.touch(slot);
    this.#live.i32[slot] = 0;
    this.#gone.push(slot);
  }

  absorb(pairs: Pairs, from: number, to: number): void {
    if (from === to) return;
    for (const accumulator of this.accumulators) accumulator.absorb(pairs, from, to);
  }

  /** Appends the group as it is to the output: UPSERT, or DELETE of its key. */
  emit(slot: number, seq: number, op: Op): void {
    const n = this.#n++;
    if (n >= this.#single.op.length) this.#single = grown(this.#single);
    const out = this.#single;
    this.#out = out;
    out.op[n] = op;
    out.seq[n] = seq;
    out.time[n] = this.rowtime.f64[slot] as number;
    out.slots[n] = slot;
    this.#keys.push(slot);
    if (this.#windowSize !== null) out.start[n] = this.keyed.prefixOf(slot);
    if (op === Op.DELETE) for (const accumulator of this.accumulators) accumulator.pushNull();
    else for (const accumulator of this.accumulators) accumulator.push(slot);
  }

  /** Emits n groups with the results that they have now, in memory that the next ones take. */
  emitAll(slots: Int32Array, seqs: Float64Array, ops: Int8Array, n: number): void {
    if (n === 0) return;
    assert(this.#n === 0, 'groups are emitted one by one or all together');
    const rowtime = this.rowtime.f64;
    this.#n = n;
    const time = this.#times.f64(n);
    const start = this.#starts.f64(n);
    for (let k = 0; k < n; k++) {
      const slot = slots[k] as number;
      time[k] = rowtime[slot] as number;
      start[k] = this.#windowSize === null ? 0 : this.keyed.prefixOf(slot);
      this.#keys.push(slot);
    }
    this.#out = { op: ops, seq: seqs, time, start, slots };
    for (const accumulator of this.accumulators) accumulator.pushAll(slots, n);
  }

  /** The slot behind row i of the last batch taken. */
  slotOf(i: number): number {
    return this.#out.slots[i] as number;
  }

  /** What was emitted since the last call. */
  take(): Batch | null {
    const n = this.#n;
    if (n === 0) return null;
    const { op, seq, time, start } = this.#out;
    const windows: Vec[] =
      this.#windowSize === null
        ? []
        : [integers(start, n, 0, this.#starts), integers(start, n, this.#windowSize, this.#ends)];
    this.#n = 0;
    if (this.#single.op.length > KEPT_ROWS) this.#single = emitted(0);
    return {
      schema: this.#schema,
      n,
      cols: [...this.#keys.take(), ...windows, ...this.accumulators.map(a => a.take())],
      seq,
      rowtime: time,
      op,
      noValue: null,
      sel: null,
    };
  }

  /** Gives the slots of ended groups free, each told before. */
  collect(free: (slot: number) => void): void {
    for (const slot of this.#gone) {
      if (!this.#table.index.lives(slot) || this.lives(slot)) continue;
      free(slot);
      this.#table.drop(slot);
    }
    this.#gone = [];
  }
}

/** Groups on their way out, row by row. */
interface Emitted {
  readonly op: Int8Array;
  readonly seq: Float64Array;
  readonly time: Float64Array;
  /** of their windows */
  readonly start: Float64Array;
  readonly slots: Int32Array;
}

function emitted(rows: number): Emitted {
  return {
    op: new Int8Array(rows),
    seq: new Float64Array(rows),
    time: new Float64Array(rows),
    start: new Float64Array(rows),
    slots: new Int32Array(rows),
  };
}

function grown(old: Emitted): Emitted {
  const rows = emitted(Math.max(64, old.op.length * 2));
  rows.op.set(old.op);
  rows.seq.set(old.seq);
  rows.time.set(old.time);
  rows.start.set(old.start);
  rows.slots.set(old.slots);
  return rows;
}

function integers(values: Float64Array, n: number, plus: number, memory: ColumnMemory): Vec {
  const v = memory.i64(n);
  const words = wordsOf(v);
  for (let i = 0; i < n; i++) {
    const value = (values[i] as number) + plus;
    const high = Math.floor(value / 4294967296);
    words[i * 2] = (value - high * 4294967296) | 0;
    words[i * 2 + 1] = high;
  }
  return { t: 'i64', v, nulls: null };
}
