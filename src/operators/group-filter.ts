import type { Vec } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import { ColumnMemory } from '../core/column-memory.ts';
import { type GeneratedPredicate, generatePredicate } from '../expr/generate.ts';
import type { AggregateNode, FilterNode } from '../plan/plan.ts';
import type { Accumulator } from './accumulators/accumulator.ts';
import { readColumns } from './read-columns.ts';

/** Groups about to be emitted; `passing` compacts it to those that have something to say. */
export interface GroupList {
  readonly slots: Int32Array;
  readonly seqs: Float64Array;
  readonly ops: Int8Array;
  readonly n: number;
}

/**
 * HAVING as a part of the aggregate, where only the last rows count: the predicate is tested on the aggregates that it
 * reads before rows are made of the groups, as most groups of a HAVING never pass. A group that passes is an UPSERT, one
 * that no longer does a DELETE, one that has no row outside is nothing.
 */
export class GroupFilter {
  readonly #predicate: GeneratedPredicate;
  /** positions of aggregates that the predicate reads, and of the columns that they are */
  readonly #reads: readonly { readonly aggregate: number; readonly column: number }[];
  readonly #columns: number;
  /** of `ops` */
  readonly #memory = new ColumnMemory();

  private constructor(
    predicate: GeneratedPredicate,
    first: number,
    reads: readonly number[],
    columns: number,
  ) {
    this.#predicate = predicate;
    this.#reads = reads.map(column => ({ aggregate: column - first, column }));
    this.#columns = columns;
  }

  /** Null when the predicate cannot be generated or reads more than aggregates. */
  static of(filter: FilterNode, aggregate: AggregateNode): GroupFilter | null {
    const first = aggregate.schema.columns.length - aggregate.aggregates.length;
    const reads = readColumns(filter.predicate);
    const predicate = reads.every(c => c >= first) ? generatePredicate(filter.predicate) : null;
    return predicate === null
      ? null
      : new GroupFilter(predicate, first, reads, aggregate.schema.columns.length);
  }

  /** The lists given are compacted in place. `shown`: per slot whether the group has a row outside; kept up to date. */
  passing(
    slots: Int32Array,
    seqs: Float64Array,
    n: number,
    accumulators: readonly Accumulator[],
    shown: Int32Array,
  ): GroupList | null {
    const cols = new Array<Vec>(this.#columns);
    for (const { aggregate, column } of this.#reads) {
      const accumulator = accumulators[aggregate] as Accumulator;
      accumulator.pushAll(slots, n);
      cols[column] = accumulator.take();
    }
    const test = this.#predicate(cols);
    if (test === null) return null;
    const ops = this.#memory.i8(n);
    let kept = 0;
    for (let k = 0; k < n; k++) {
      const slot = slots[k] as number;
      const passes = test(k);
      if (!passes && shown[slot] !== 1) continue;
      shown[slot] = passes ? 1 : 0;
      slots[kept] = slot;
      seqs[kept] = seqs[k] as number;
      ops[kept++] = passes ? Op.UPSERT : Op.DELETE;
    }
    return { slots, seqs, ops, n: kept };
  }
}
