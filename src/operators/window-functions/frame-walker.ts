import type { CountedFrame, Frame, ValueFrame } from '../../expr/window-function.ts';
import { type Cells, clipped, type OrderChange, type OrderedRows, type Span } from './partition-function.ts';

/** The frames of rows one after another: both ends only ever move on. */
export class FrameWalker {
  start = 0;
  /** behind the last row of the frame */
  end = 0;
  readonly #frame: Frame;
  readonly #rows: OrderedRows;
  #peersFrom = 0;
  #peersTo = -1;

  constructor(frame: Frame, rows: OrderedRows) {
    this.#frame = frame;
    this.#rows = rows;
  }

  /** To the frame of a row; the next row each time, after the first. */
  move(at: number): void {
    const frame = this.#frame;
    if (frame.unit === 'values') {
      this.#moveValues(frame, at);
      return;
    }
    const { unit, from, to } = frame;
    const { n } = this.#rows;
    if (unit !== 'rows') this.#movePeers(at);
    const [first, last] = unit === 'rows' ? [at, at] : [this.#peersFrom, this.#peersTo - 1];
    const ends =
      unit === 'groups'
        ? [groupsAway(this.#rows, first, from ?? 0), groupsAway(this.#rows, last + 1, to ?? 0)]
        : [first + (from ?? 0), last + (to ?? 0) + 1];
    this.start = from === null ? 0 : Math.min(n, Math.max(0, ends[0] as number));
    this.end = to === null ? n : Math.max(this.start, Math.min(n, ends[1] as number));
  }

  #moveValues({ from, to }: ValueFrame, at: number): void {
    const rows = this.#rows;
    const own = cellsOf(rows, at);
    if (from !== null) this.start = firstRow(rows, this.start, i => rows.place(i, own, from) >= 0);
    this.end =
      to === null ? rows.n : firstRow(rows, Math.max(this.start, this.end), i => rows.place(i, own, to) > 0);
  }

  #movePeers(at: number): void {
    const rows = this.#rows;
    if (at < this.#peersTo) return;
    const begins = this.#peersTo < 0;
    this.#peersFrom = at;
    while (begins && this.#peersFrom > 0 && rows.isPeer(this.#peersFrom - 1, at)) this.#peersFrom--;
    this.#peersTo = at + 1;
    while (this.#peersTo < rows.n && rows.isPeer(this.#peersTo, at)) this.#peersTo++;
  }
}

/**
 * The rows in whose frames a row has come or gone, or whose frames have moved for it: those of a row stand so far from it,
 * hence a change between the row and its frame moves the frame too.
 */
export function framedSpan(frame: Frame, change: OrderChange, rows: OrderedRows): Span {
  if (frame.unit === 'values') return valuesSpan(frame, change, rows);
  return frame.unit === 'groups' ? groupsSpan(frame, change, rows) : countedSpan(frame, change, rows.n);
}

function countedSpan({ unit, from, to }: CountedFrame, change: OrderChange, n: number): Span {
  const { at, inserted, peersFrom, peersTo } = change;
  const ranged = unit === 'range';
  const low = to === null ? 0 : ranged ? peersFrom : at - Math.max(to, 0) - (inserted ? 0 : 1);
  const high = from === null ? n : ranged ? peersTo : at - Math.min(from, 0) + 1;
  return clipped({ from: low, to: high }, change, n);
}

/** A row alone in its group makes one more, or one less: then frames of one group further away move too. */
function groupsSpan({ from, to }: CountedFrame, change: OrderChange, rows: OrderedRows): Span {
  const { peersFrom, peersTo } = change;
  const low = to === null ? 0 : groupsAway(rows, peersFrom, -Math.max(to, 0) - 1);
  const high = from === null ? rows.n : groupsAway(rows, peersTo, 1 - Math.min(from, 0));
  return clipped({ from: low, to: high }, change, rows.n);
}

/** Rows whose frame has the point of the change; the rows are in its order, so that these stand side by side. */
function valuesSpan({ from, to }: ValueFrame, change: OrderChange, rows: OrderedRows): Span {
  const { cell } = change;
  const low = to === null ? 0 : firstRow(rows, 0, i => rows.place(cell, i, to) <= 0);
  const high = from === null ? rows.n : firstRow(rows, low, i => rows.place(cell, i, from) < 0);
  return clipped({ from: low, to: high }, change, rows.n);
}

/** The first row from `low` on for which something is true that stays true; behind the last one when there is none. */
function firstRow({ n, cell }: OrderedRows, low: number, holds: (row: Cells) => boolean): number {
  let [first, behind] = [Math.min(low, n), n];
  // mostly it is near
  for (let step = 1; first + step < behind; step *= 2) {
    const at = first + step;
    if (holds(column => cell(at, column))) behind = at;
    else first = at + 1;
  }
  while (first < behind) {
    const middle = (first + behind) >>> 1;
    if (holds(column => cell(middle, column))) behind = middle;
    else first = middle + 1;
  }
  return first;
}

function cellsOf(rows: OrderedRows, at: number): Cells {
  return column => rows.cell(at, column);
}

/** The bound between groups that lies so many groups from another bound; no further than the ends. */
function groupsAway(rows: OrderedRows, bound: number, groups: number): number {
  let at = bound;
  for (let k = groups; k > 0 && at < rows.n; k--) {
    const first = at;
    while (at < rows.n && rows.isPeer(first, at)) at++;
  }
  for (let k = groups; k < 0 && at > 0; k++) {
    const last = at - 1;
    while (at > 0 && rows.isPeer(last, at - 1)) at--;
  }
  return at;
}
