import type { Batch, Vec } from '../../core/batch.ts';
import type { Epoch } from '../operator.ts';

/** Rows on their way into groups: pair k adds row `row[k]` to the group in slot `slot[k]`, or takes it away. */
export interface Pairs {
  readonly slot: Int32Array;
  readonly row: Int32Array;
  /** 1 or -1 */
  readonly sign: Int8Array;
}

/** One aggregate of an operator over all its groups; its state stands in columns of the operator's table. */
export interface Accumulator {
  /** An empty group in this slot. */
  reset(slot: number): void;
  /** The batch that the next pairs point into. */
  begin(epoch: Epoch, batch: Batch): void;
  /** Pairs [from, to) in order. */
  absorb(pairs: Pairs, from: number, to: number): void;
  /** The rows of group `from`, which come later, join those of group `into`; `from` is not used afterwards. */
  merge(into: number, from: number): void;
  /** Appends the result of a group to the output column. */
  push(slot: number): void;
  /** Appends the results of n groups. */
  pushAll(slots: Int32Array, n: number): void;
  /** Appends NULL: the group is gone. */
  pushNull(): void;
  /** The output column; a new one is begun. */
  take(): Vec;
}
