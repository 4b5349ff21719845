import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';

/** What stands before OVER, with its arguments as columns of the rows in order. */
export interface WindowFunction {
  /**
   * RANK, DENSE_RANK, PERCENT_RANK, CUME_DIST, NTILE (constant: groups); LAG, LEAD (constant: rows apart; second argument:
   * the value where there is no such row); FIRST_VALUE, LAST_VALUE, NTH_VALUE (constant: which); or an aggregate of the
   * registry, over the rows of the frame for which `filter` is true.
   */
  readonly fn: string;
  readonly args: readonly number[];
  readonly constants: readonly (Value | null)[];
  readonly filter: number | null;
  /** ranks, LAG and LEAD have none: they know the whole partition */
  readonly frame: Frame | null;
  readonly type: SqlType;
}

/**
 * The rows around a row that its result is made of: from `from` to `to`, counted from the row itself; null: without end.
 * `rows` counts rows. `range` and `groups` count groups of rows that the order does not tell apart: 0 is the row's own
 * group, whole (a `range` has no others).
 */
export interface CountedFrame {
  readonly unit: 'rows' | 'range' | 'groups';
  readonly from: number | null;
  readonly to: number | null;
}

/** As far from a row as the only column of the order says: `RANGE 10 PRECEDING`. */
export interface ValueFrame {
  readonly unit: 'values';
  readonly from: FrameOffset | null;
  readonly to: FrameOffset | null;
  /** as in the query */
  readonly written: string;
}

export type Frame = CountedFrame | ValueFrame;

/** In the unit in which values of the column stand: ms, days, the last digit of a DECIMAL. */
export type FrameOffset = number | bigint;

const RANKS = ['RANK', 'DENSE_RANK', 'PERCENT_RANK', 'CUME_DIST', 'NTILE'] as const;
const NEIGHBOURS = ['LAG', 'LEAD'] as const;
const PICKS = ['FIRST_VALUE', 'LAST_VALUE', 'NTH_VALUE'] as const;

export type RankFunction = (typeof RANKS)[number];
export type NeighbourFunction = (typeof NEIGHBOURS)[number];
export type PickFunction = (typeof PICKS)[number];

export function isRank(fn: string): fn is RankFunction {
  return RANKS.some(name => name === fn);
}

export function isNeighbour(fn: string): fn is NeighbourFunction {
  return NEIGHBOURS.some(name => name === fn);
}

export function isPick(fn: string): fn is PickFunction {
  return PICKS.some(name => name === fn);
}

export function frameText(frame: Frame): string {
  if (frame.unit === 'values') return frame.written.toLowerCase();
  const { unit, from, to } = frame;
  const bound = (at: number | null, end: string) => {
    if (at === null) return `unbounded ${end}`;
    if (at === 0) return 'current row';
    return `${Math.abs(at)} ${at < 0 ? 'preceding' : 'following'}`;
  };
  return `${unit} ${bound(from, 'preceding')} to ${bound(to, 'following')}`;
}
