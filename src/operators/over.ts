import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Value } from '../core/value.ts';
import { sameness } from '../expr/compare.ts';
import { type PlaceAgainst, placeAgainst } from '../expr/frame-order.ts';
import type { OverNode } from '../plan/plan.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder, WINDOW_LIMIT } from './change-builder.ts';
import type { EquiSide, EquiSideState } from './equi-side.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { OrderedPartitions } from './ordered-partitions.ts';
import type { OrderChange, OrderedRows, PartitionFunction } from './window-functions/partition-function.ts';
import { type MakeFunction, runningFunction } from './window-functions/running-function.ts';

const NONE = -1;

type Results = readonly (Value | null)[];

interface Partition {
  /** slots */
  readonly order: number[];
  readonly rows: OrderedRows;
  readonly functions: readonly PartitionFunction[];
}

interface OverState {
  readonly index: StateTableState;
  readonly rows: EquiSideState;
}

export interface OverOptions {
  /** gives a fresh table of state */
  readonly table: () => StateTable;
  /** rows are taken away too */
  readonly retracting: boolean;
}

/**
 * Rows in order with the results of window functions, partition by partition. The state is the rows; the order of a
 * partition and its results stand in memory, and are made again from the rows when it is first touched after a restart.
 * Each function computes what a change touches, and only rows with other results are given. The contract stands on
 * {@link OverNode}.
 */
export class Over implements Operator {
  readonly id: string;
  readonly #ordered: OrderedPartitions;
  readonly #rows: EquiSide;
  readonly #place: PlaceAgainst;
  readonly #makes: readonly MakeFunction[];
  readonly #equals: readonly ((a: Value, b: Value) => boolean)[];
  readonly #out: ChangeBuilder;
  /** by slot of the partition */
  #partitions: (Partition | undefined)[] = [];
  /** by slot of the row */
  #results: Results[] = [];

  constructor(node: OverNode, context: OperatorContext, { table, retracting }: OverOptions) {
    this.id = node.id;
    const { partition, order, input } = node;
    const { schema } = input;
    const types = schema.columns.map(c => c.type);
    this.#ordered = new OrderedPartitions(context, {
      id: node.id,
      schema,
      partition,
      order,
      table,
      retracting,
    });
    this.#rows = this.#ordered.rows;
    const [first] = node.order;
    this.#place = first === undefined ? () => 0 : placeAgainst(types, first);
    this.#makes = node.functions.map(f => runningFunction(f, types, context.functions));
    this.#equals = node.functions.map(f => sameness(f.type));
    this.#out = new ChangeBuilder(node.schema, WINDOW_LIMIT);
  }

  step(epoch: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    for (const batch of input) {
      this.#ordered.begin(epoch, batch);
      const n = batch.sel === null ? batch.n : batch.sel.length;
      for (let k = 0; k < n; k++) {
        const i = batch.sel === null ? k : (batch.sel[k] as number);
        if (batch.op?.[i] === Op.RETRACT) this.#takeAway(batch, i);
        else this.#add(batch, i);
      }
    }
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  #add(batch: Batch, i: number): void {
    const key = this.#keyOf(i);
    const partition = this.#partitionOf(key);
    const slot = this.#rows.add(batch, i, key);
    const at = this.#ordered.place(partition.order, slot, 1);
    partition.order.splice(at, 0, slot);
    this.#results[slot] = [];
    const cell = (column: number) => this.#rows.rows.get(slot, column);
    // it stands behind its peers
    const peersFrom = this.#ordered.place(partition.order, slot, 0);
    const change = { at, inserted: true, peersFrom, peersTo: at + 1, cell };
    this.#settle(partition, change, slot, batch.seq[i] as number);
  }

  #takeAway(batch: Batch, i: number): void {
    const key = this.#ordered.find(i);
    if (key === NONE) return;
    // after a restart it is made of all rows, this one too
    const partition = this.#partitionOf(key);
    const slot = this.#rows.take(i);
    if (slot === NONE) return;
    const { order } = partition;
    const peersFrom = this.#ordered.place(order, slot, 0);
    const at = this.#ordered.placeOf(order, slot, peersFrom);
    const peersTo = this.#ordered.place(order, slot, 1);
    order.splice(at, 1);
    const cell = (column: number) => this.#rows.rows.get(slot, column);
    const change = { at, inserted: false, peersFrom, peersTo: peersTo - 1, cell };
    this.#settle(partition, change, slot, batch.seq[i] as number);
    this.#rows.drop(slot);
    this.#results[slot] = [];
    if (order.length > 0) return;
    this.#partitions[key] = undefined;
    this.#ordered.index.drop(key);
  }

  /** After a change of the order: computes what it touches, gives what has changed; `slot`: of the row that came or went. */
  #settle({ order, rows, functions }: Partition, change: OrderChange, slot: number, seq: number): void {
    const next = new Map<number, (Value | null)[]>();
    if (change.inserted) next.set(change.at, []);
    functions.forEach((running, f) => {
      const equal = this.#equals[f] as (a: Value, b: Value) => boolean;
      running.update(rows, change, running.affected(change, rows), (at, value) => {
        const inserted = change.inserted && at === change.at;
        const known = this.#results[order[at] as number] as Results;
        const before = known[f] ?? null;
        if (!inserted && (value === null || before === null ? value === before : equal(value, before)))
          return;
        let results = next.get(at);
        if (results === undefined) {
          results = [...known];
          next.set(at, results);
        }
        results[f] = value;
      });
    });
    const touched = [...next.keys()].sort((a, b) => a - b);
    let gone = change.inserted;
    for (const at of touched) {
      if (!gone && at >= change.at) {
        this.#give(Op.RETRACT, slot, seq);
        gone = true;
      }
      if (!change.inserted || at !== change.at) this.#give(Op.RETRACT, order[at] as number, seq);
    }
    if (!gone) this.#give(Op.RETRACT, slot, seq);
    for (const at of touched) {
      const own = order[at] as number;
      this.#results[own] = next.get(at) ?? [];
      this.#give(Op.ADD, own, seq);
    }
  }

  #give(op: Op, slot: number, seq: number): void {
    const row = [...this.#rows.rows.row(slot), ...(this.#results[slot] as Results)];
    this.#out.push(op, seq, this.#rows.rowtime(slot), row);
  }

  #keyOf(i: number): number {
    const key = this.#ordered.of(i);
    if (this.#ordered.index.index.isNew) this.#partitions[key] = undefined;
    return key;
  }

  /** Made again after a restart. */
  #partitionOf(key: number): Partition {
    const known = this.#partitions[key];
    if (known) return known;
    const order = this.#ordered.inOrder(key);
    const rows: OrderedRows = {
      get n() {
        return order.length;
      },
      cell: (at, column) => this.#rows.rows.get(order[at] as number, column),
      isPeer: (a, b) => this.#ordered.compare(order[a] as number, order[b] as number) === 0,
      place: this.#place,
    };
    const functions = this.#makes.map((make, f) =>
      make(at => Number(this.#results[order[at] as number]?.[f] ?? 0)),
    );
    for (const slot of order) this.#results[slot] = functions.map(() => null);
    functions.forEach((running, f) => {
      running.update(rows, null, { from: 0, to: order.length }, (at, value) => {
        (this.#results[order[at] as number] as (Value | null)[])[f] = value;
      });
    });
    const made = { order, rows, functions };
    this.#partitions[key] = made;
    return made;
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): OverState {
    return { index: this.#ordered.index.state(part), rows: this.#rows.state(part) };
  }

  load(state: unknown): void {
    const { index, rows } = state as OverState;
    this.#ordered.index.load(index);
    this.#rows.load(rows);
    this.#partitions = [];
    this.#results = [];
  }

  size(): { readonly rows: number; readonly bytes: number } {
    const { rows, bytes } = this.#rows.size();
    const perRow = 8 + 32 + this.#makes.length * 16;
    return { rows, bytes: bytes + this.#ordered.index.bytes + rows * perRow };
  }
}
