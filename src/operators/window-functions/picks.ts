import type { Frame, NeighbourFunction, PickFunction } from '../../expr/window-function.ts';
import { FrameWalker, framedSpan } from './frame-walker.ts';
import {
  clipped,
  type Give,
  NOWHERE,
  type OrderChange,
  type OrderedRows,
  type PartitionFunction,
  type Span,
} from './partition-function.ts';

export interface NeighbourOptions {
  readonly fn: NeighbourFunction;
  /** rows apart */
  readonly away: number;
  readonly column: number;
  /** of the row itself, where there is no such row; null: NULL */
  readonly otherwise: number | null;
}

/** LAG and LEAD: a row that comes or goes moves the neighbours of so many rows behind, or before it. */
export class Neighbours implements PartitionFunction {
  readonly #options: NeighbourOptions;

  constructor(options: NeighbourOptions) {
    this.#options = options;
  }

  affected(change: OrderChange, { n }: OrderedRows): Span {
    const { fn, away } = this.#options;
    const { at } = change;
    return clipped(
      fn === 'LAG' ? { from: at, to: at + away + 1 } : { from: at - away, to: at + 1 },
      change,
      n,
    );
  }

  update(rows: OrderedRows, _: OrderChange | null, { from, to }: Span, give: Give): void {
    const { fn, away, column, otherwise } = this.#options;
    for (let at = from; at < to; at++) {
      const other = fn === 'LAG' ? at - away : at + away;
      if (other >= 0 && other < rows.n) give(at, rows.cell(other, column));
      else give(at, otherwise === null ? null : rows.cell(at, otherwise));
    }
  }
}

export interface PickOptions {
  readonly fn: PickFunction;
  readonly column: number;
  /** of NTH_VALUE, from 1 */
  readonly nth: number;
  readonly frame: Frame;
}

/** FIRST_VALUE, LAST_VALUE and NTH_VALUE of each row's frame. */
export class Picks implements PartitionFunction {
  readonly #options: PickOptions;

  constructor(options: PickOptions) {
    this.#options = options;
  }

  affected(change: OrderChange, rows: OrderedRows): Span {
    const { n } = rows;
    const { fn, frame } = this.#options;
    const { at, inserted } = change;
    const last = inserted ? n - 1 : n;
    // frames that begin (end) with the partition have the same first (last) row still
    const sameFirst = fn === 'FIRST_VALUE' && frame.from === null && (frame.to ?? 0) >= 0 && at > 0;
    const sameLast = fn === 'LAST_VALUE' && frame.to === null && (frame.from ?? 0) <= 0 && at < last;
    if (sameFirst || sameLast) return inserted ? { from: at, to: at + 1 } : NOWHERE;
    return framedSpan(frame, change, rows);
  }

  update(rows: OrderedRows, _: OrderChange | null, { from, to }: Span, give: Give): void {
    const { fn, column, nth, frame } = this.#options;
    const walker = new FrameWalker(frame, rows);
    for (let at = from; at < to; at++) {
      walker.move(at);
      const { start, end } = walker;
      const picked = fn === 'LAST_VALUE' ? end - 1 : start + (fn === 'NTH_VALUE' ? nth - 1 : 0);
      give(at, picked >= start && picked < end ? rows.cell(picked, column) : null);
    }
  }
}
