import type { Batch, Vec } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Schema } from '../core/schema.ts';
import type { AggregateNode } from '../plan/plan.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { StateTable } from '../state/state-table.ts';
import type { Accumulator, Pairs } from './accumulators/accumulator.ts';
import { accumulatorFor } from './accumulators/accumulator-for.ts';
import { KeyedTable, type KeyReader } from './keyed-table.ts';
import type { OperatorContext } from './operator.ts';

/**
 * The groups of an aggregate: per slot its key, window start, accumulators, number of rows and the largest event time.
 * A group that is gone keeps its slot until `collect`, so that bytes of its key stay where emitted columns point.
 */
export class Groups {
  readonly keyed: KeyedTable;
  readonly accumulators: readonly Accumulator[];
  readonly rows: GrowingColumn;
  readonly rowtime: GrowingColumn;
  readonly #live: GrowingColumn;
  readonly #schema: Schema;
  readonly #windowSize: number | null;
  readonly #keys: KeyReader;
  readonly #table: StateTable;
  #gone: number[] = [];
  // the changes collected for output
  #op: Op[] = [];
  #seq: number[] = [];
  #time: number[] = [];
  #start: number[] = [];

  constructor(node: AggregateNode, context: OperatorContext, table: StateTable, retracting: boolean) {
    this.#table = table;
    this.#schema = node.schema;
    this.#windowSize = node.window?.size ?? null;
    this.keyed = new KeyedTable(
      node.keys.map(k => k.type),
      table,
    );
    this.rows = table.column('f64');
    this.rowtime = table.column('f64');
    this.#live = table.column('i32');
    this.accumulators = node.aggregates.map(call =>
      accumulatorFor({ call, context, table, schema: node.input.schema, retracting }),
    );
    this.#keys = this.keyed.reader();
  }

  get size(): number {
    return this.#table.rows;
  }

  /** The group of row i's key in a window, made (empty) when there is none. */
  slot(start: number, keys: readonly Vec[], i: number): number {
    const slot = this.keyed.slot(start, i);
    if (this.#table.index.isNew || this.#live.i32[slot] === 0) {
      this.keyed.keep(slot, keys, i);
      this.#live.i32[slot] = 1;
      this.rows.f64[slot] = 0;
      this.rowtime.f64[slot] = Number.NEGATIVE_INFINITY;
      for (const accumulator of this.accumulators) accumulator.reset(slot);
      this.wasNew = true;
    } else this.wasNew = false;
    return slot;
  }

  /** whether the last `slot` made the group */
  wasNew = false;

  lives(slot: number): boolean {
    return this.#live.i32[slot] === 1;
  }

  /** The group is no more; a new one may come in its place. */
  end(slot: number): void {
    this.#live.i32[slot] = 0;
    this.#gone.push(slot);
  }

  absorb(pairs: Pairs, from: number, to: number): void {
    for (const accumulator of this.accumulators) accumulator.absorb(pairs, from, to);
  }

  /** Appends the group as it is to the output: UPSERT, or DELETE of its key. */
  emit(slot: number, seq: number, op: Op): void {
    this.#op.push(op);
    this.#seq.push(seq);
    this.#time.push(this.rowtime.f64[slot] as number);
    this.#keys.push(slot);
    if (this.#windowSize !== null) this.#start.push(this.keyed.prefixOf(slot));
    if (op === Op.DELETE) for (const accumulator of this.accumulators) accumulator.pushNull();
    else for (const accumulator of this.accumulators) accumulator.push(slot);
  }

  /** What was emitted since the last call. */
  take(): Batch | null {
    const n = this.#op.length;
    if (n === 0) return null;
    const windows: Vec[] =
      this.#windowSize === null ? [] : [integers(this.#start, 0), integers(this.#start, this.#windowSize)];
    const batch: Batch = {
      schema: this.#schema,
      n,
      cols: [...this.#keys.take(), ...windows, ...this.accumulators.map(a => a.take())],
      seq: Float64Array.from(this.#seq),
      rowtime: Float64Array.from(this.#time),
      op: Int8Array.from(this.#op),
      noValue: null,
      sel: null,
    };
    this.#op = [];
    this.#seq = [];
    this.#time = [];
    this.#start = [];
    return batch;
  }

  /** Gives the slots of ended groups free. */
  collect(): void {
    for (const slot of this.#gone) {
      if (this.#table.index.lives(slot) && this.#live.i32[slot] === 0) this.#table.drop(slot);
    }
    this.#gone = [];
  }
}

function integers(values: readonly number[], plus: number): Vec {
  const words = new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) {
    const value = (values[i] as number) + plus;
    const high = Math.floor(value / 4294967296);
    words[i * 2] = (value - high * 4294967296) | 0;
    words[i * 2 + 1] = high;
  }
  return { t: 'i64', v: new BigInt64Array(words.buffer), nulls: null };
}
