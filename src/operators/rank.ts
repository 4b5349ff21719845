import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { RankNode } from '../plan/plan.ts';
import type { ChangedPart, StateTableState } from '../state/state-section.ts';
import type { StateTable } from '../state/state-table.ts';
import { ChangeBuilder } from './change-builder.ts';
import type { EquiSide, EquiSideState } from './equi-side.ts';
import type { Epoch, Operator, OperatorContext } from './operator.ts';
import { OrderedPartitions } from './ordered-partitions.ts';

const NONE = -1;

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
  readonly #partitions: OrderedPartitions;
  readonly #rows: EquiSide;
  readonly #out: ChangeBuilder;
  /** by slot of the partition */
  #orders: (number[] | undefined)[] = [];

  constructor(node: RankNode, context: OperatorContext, { table, retracting }: RankOptions) {
    this.id = node.id;
    this.#node = node;
    this.#retracting = retracting;
    this.#to = node.to ?? Number.POSITIVE_INFINITY;
    const { partition, order, input } = node;
    const { schema } = input;
    this.#partitions = new OrderedPartitions(context, {
      id: node.id,
      schema,
      partition,
      order,
      table,
      retracting,
    });
    this.#rows = this.#partitions.rows;
    this.#out = new ChangeBuilder(node.schema);
  }

  step(epoch: Epoch, [input = []]: readonly (readonly Batch[])[]): readonly Batch[] {
    for (const batch of input) {
      this.#partitions.begin(epoch, batch);
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
    const key = this.#partitionOf(i);
    const order = this.#orderOf(key);
    const slot = this.#rows.add(batch, i, key);
    const at = this.#partitions.place(order, slot, 1);
    if (at >= this.#to && !this.#retracting) {
      this.#rows.remove(slot);
      return;
    }
    this.#giveFrom(order, at, seq, () => order.splice(at, 0, slot));
    if (!this.#retracting && order.length > this.#to) this.#rows.remove(order.pop() as number);
  }

  #takeAway(batch: Batch, i: number): void {
    const key = this.#partitions.find(i);
    if (key === NONE) return;
    // after a restart it is made of all rows, this one too
    const order = this.#orderOf(key);
    const slot = this.#rows.take(i);
    if (slot === NONE) return;
    const at = this.#partitions.placeOf(order, slot, this.#partitions.place(order, slot, 0));
    this.#giveFrom(order, at, batch.seq[i] as number, () => order.splice(at, 1));
    this.#rows.drop(slot);
    if (order.length > 0) return;
    this.#orders[key] = undefined;
    this.#partitions.index.drop(key);
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

  #partitionOf(i: number): number {
    const key = this.#partitions.of(i);
    if (this.#partitions.index.index.isNew) this.#orders[key] = [];
    return key;
  }

  /** Made again after a restart. */
  #orderOf(key: number): number[] {
    const known = this.#orders[key];
    if (known) return known;
    const made = this.#partitions.inOrder(key);
    this.#orders[key] = made;
    return made;
  }

  deadline(): number | null {
    return null;
  }

  state(part?: ChangedPart): RankState {
    return { index: this.#partitions.index.state(part), rows: this.#rows.state(part) };
  }

  load(state: unknown): void {
    const { index, rows } = state as RankState;
    this.#partitions.index.load(index);
    this.#rows.load(rows);
    this.#orders = [];
  }

  size(): { readonly rows: number; readonly bytes: number } {
    const { rows, bytes } = this.#rows.size();
    return { rows, bytes: bytes + this.#partitions.index.bytes + rows * 8 };
  }
}
