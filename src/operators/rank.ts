import { assert } from '../core/assert.ts';
import type { Batch, Vec } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Column } from '../core/schema.ts';
import type { Value } from '../core/value.ts';
import { cellComparator } from '../expr/row-order.ts';
import type { RankNode } from '../plan/plan.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder } from './change-builder.ts';
import { EquiSide, type EquiSideState } from './equi-side.ts';
import { JoinKeys } from './join-keys.ts';
import { KeyEncoder } from './key-encoder.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';

const NONE = -1;
const NO_BYTES = new Uint8Array(0);
/** prefixes of the index: a partition with bytes, and the one that is NULL */
const BYTES = 0;
const NULL_KEY = 1;

interface RankState {
  readonly index: StateTableState;
  readonly rows: EquiSideState;
}

export interface RankOptions {
  /** gives a fresh table of state */
  readonly table: () => StateTable;
  /** rows are taken away too */
  readonly retracting: boolean;
}

/**
 * Rows in order, partition by partition. The state is the rows; each partition's order is a list of slots in memory, made
 * again from them. Of rows that never go only those are kept that are seen. The contract stands on {@link RankNode}.
 */
export class Rank implements Operator {
  readonly id: string;
  readonly #node: RankNode;
  readonly #retracting: boolean;
  readonly #to: number;
  /** partitions */
  readonly #index: StateTable;
  readonly #rows: EquiSide;
  readonly #keys: KeyEncoder;
  readonly #compare: (a: number, b: number) => number;
  readonly #out: ChangeBuilder;
  /** by slot of the partition */
  #orders: (number[] | undefined)[] = [];

  constructor(node: RankNode, context: OperatorContext, { table, retracting }: RankOptions) {
    this.id = node.id;
    this.#node = node;
    this.#retracting = retracting;
    this.#to = node.to ?? Number.POSITIVE_INFINITY;
    this.#index = table();
    const { schema } = node.input;
    this.#rows = new EquiSide({
      schema,
      keys: new JoinKeys(node.id, context, schema, []),
      preserved: false,
      index: this.#index,
      rows: table(),
      distinct: retracting ? table() : null,
    });
    this.#keys = new KeyEncoder(node.partition.map(i => (schema.columns[i] as Column).type));
    const cells = (slot: number) => (column: number) => this.#cell(slot, column);
    const compare = cellComparator(
      schema.columns.map(c => c.type),
      node.order,
    );
    this.#compare = (a, b) => compare(cells(a), cells(b));
    this.#out = new ChangeBuilder(node.schema);
  }

  #cell(slot: number, column: number): Value | null {
    return this.#rows.rows.get(slot, column);
  }

  step(epoch: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    for (const batch of input) {
      this.#rows.begin(epoch, batch);
      this.#keys.begin(this.#node.partition.map(i => batch.cols[i] as Vec));
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
    const seq = batch.seq[i] as number;
    const key = this.#partition(i);
    const order = this.#orderOf(key);
    const slot = this.#rows.add(batch, i, key);
    const at = this.#place(order, slot, 1);
    if (at >= this.#to && !this.#retracting) {
      this.#rows.remove(slot);
      return;
    }
    this.#giveFrom(order, at, seq, () => order.splice(at, 0, slot));
    if (!this.#retracting && order.length > this.#to) this.#rows.remove(order.pop() as number);
  }

  #takeAway(batch: Batch, i: number): void {
    const key = this.#find(i);
    if (key === NONE) return;
    // after a restart it is made of all rows, this one too
    const order = this.#orderOf(key);
    const slot = this.#rows.take(i);
    if (slot === NONE) return;
    let at = this.#place(order, slot, 0);
    while (order[at] !== slot) {
      at++;
      assert(at < order.length, 'a row is in the order of its partition');
    }
    this.#giveFrom(order, at, batch.seq[i] as number, () => order.splice(at, 1));
    this.#rows.drop(slot);
    if (order.length > 0) return;
    this.#orders[key] = undefined;
    this.#index.drop(key);
  }

  /** Where a row stands: behind all that equal it (1), or before them (0). */
  #place(order: readonly number[], slot: number, behind: 0 | 1): number {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(order[middle] as number, slot) < behind) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Changes the order from a position on, and gives what is seen no more and what is seen now. */
  #giveFrom(order: readonly number[], at: number, seq: number, change: () => void): void {
    const { numbered, from } = this.#node;
    const begin = Math.max(at, from);
    if (begin >= this.#to) {
      change();
      return;
    }
    if (numbered) {
      const before = order.slice(begin, this.#to);
      change();
      before.forEach((slot, k) => {
        this.#give(Op.RETRACT, slot, begin + k + 1, seq);
      });
      order.slice(begin, this.#to).forEach((slot, k) => {
        this.#give(Op.ADD, slot, begin + k + 1, seq);
      });
      return;
    }
    const edges = () => [
      order[begin],
      this.#to === Number.POSITIVE_INFINITY ? undefined : order[this.#to - 1],
    ];
    const grows = order.length;
    const [firstBefore, lastBefore] = edges();
    change();
    const [firstAfter, lastAfter] = edges();
    // one more: what stood last has left, what stands first has come; one less: the other way round
    const [gone, come] = order.length > grows ? [lastBefore, firstAfter] : [firstBefore, lastAfter];
    if (gone !== undefined) this.#give(Op.RETRACT, gone, 0, seq);
    if (come !== undefined) this.#give(Op.ADD, come, 0, seq);
  }

  #give(op: Op, slot: number, number: number, seq: number): void {
    const row = this.#rows.rows.row(slot);
    this.#out.push(op, seq, this.#rows.rowtime(slot), this.#node.numbered ? [...row, BigInt(number)] : row);
  }

  #partition(i: number): number {
    const encoder = this.#keys;
    const key = encoder.encode(i)
      ? this.#index.slot(BYTES, encoder.bytes, encoder.start, encoder.end)
      : this.#index.slot(NULL_KEY, NO_BYTES, 0, 0);
    if (this.#index.index.isNew) {
      this.#rows.beginKey(key);
      this.#orders[key] = [];
    }
    return key;
  }

  #find(i: number): number {
    const encoder = this.#keys;
    return encoder.encode(i)
      ? this.#index.find(BYTES, encoder.bytes, encoder.start, encoder.end)
      : this.#index.find(NULL_KEY, NO_BYTES, 0, 0);
  }

  /** Made again after a restart: rows arrive in their order, and equal ones stay in it. */
  #orderOf(key: number): number[] {
    const known = this.#orders[key];
    if (known) return known;
    const made = this.#rows.meeting(key).sort(this.#compare);
    this.#orders[key] = made;
    return made;
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): RankState {
    return { index: this.#index.state(part), rows: this.#rows.state(part) };
  }

  load(state: unknown): void {
    const { index, rows } = state as RankState;
    this.#index.load(index);
    this.#rows.load(rows);
    this.#orders = [];
  }

  size(): { readonly rows: number; readonly bytes: number } {
    const { rows, bytes } = this.#rows.size();
    return { rows, bytes: bytes + this.#index.bytes + rows * 8 };
  }
}
