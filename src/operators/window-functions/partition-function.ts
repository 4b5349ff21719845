import type { Value } from '../../core/value.ts';
import type { FrameOffset } from '../../expr/window-function.ts';

/** The rows of a partition in order, by position. */
export interface OrderedRows {
  readonly n: number;
  cell(at: number, column: number): Value | null;
  /** whether the order does not tell two rows apart */
  isPeer(a: number, b: number): boolean;
  /** where a row stands to the point so far from another: see `PlaceAgainst` */
  place(row: Cells, from: Cells, offset: FrameOffset): number;
}

export type Cells = (column: number) => Value | null;

/** One row more at a position, or the row that stood there is gone. */
export interface OrderChange {
  readonly at: number;
  readonly inserted: boolean;
  /** after the change: rows that the order does not tell apart from the row, itself among them when it is there */
  readonly peersFrom: number;
  readonly peersTo: number;
  /** of the row that came or went */
  cell(column: number): Value | null;
}

/** Positions from `from` to before `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export type Give = (at: number, value: Value | null) => void;

/**
 * A window function over one partition. `affected` says where a change may give other results (an inserted row always
 * among them); `update`, called once after each change, gives the results there. Without a change (null) the rows are seen
 * for the first time, and all results are given.
 */
export interface PartitionFunction {
  affected(change: OrderChange, rows: OrderedRows): Span;
  update(rows: OrderedRows, change: OrderChange | null, span: Span, give: Give): void;
}

/** The span within the rows, the inserted row with it. */
export function clipped({ from, to }: Span, { at, inserted }: OrderChange, n: number): Span {
  const low = Math.max(0, Math.min(from, n));
  const high = Math.max(low, Math.min(to, n));
  if (!inserted) return { from: low, to: high };
  return low === high ? { from: at, to: at + 1 } : { from: Math.min(low, at), to: Math.max(high, at + 1) };
}

export const NOWHERE: Span = { from: 0, to: 0 };
