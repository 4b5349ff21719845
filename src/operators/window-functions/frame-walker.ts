import type { Frame } from '../../expr/window-function.ts';
import { clipped, type OrderChange, type OrderedRows, type Span } from './partition-function.ts';

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
    const { unit, from, to } = this.#frame;
    const { n } = this.#rows;
    if (unit === 'range') this.#movePeers(at);
    const [first, last] = unit === 'range' ? [this.#peersFrom, this.#peersTo - 1] : [at, at];
    this.start = from === null ? 0 : Math.min(n, Math.max(0, first + from));
    this.end = to === null ? n : Math.max(this.start, Math.min(n, last + to + 1));
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
export function framedSpan({ unit, from, to }: Frame, change: OrderChange, n: number): Span {
  const { at, inserted, peersFrom, peersTo } = change;
  const ranged = unit === 'range';
  const low = to === null ? 0 : ranged ? peersFrom : at - Math.max(to, 0) - (inserted ? 0 : 1);
  const high = from === null ? n : ranged ? peersTo : at - Math.min(from, 0) + 1;
  return clipped({ from: low, to: high }, change, n);
}
