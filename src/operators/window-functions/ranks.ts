import type { RankFunction } from '../../expr/window-function.ts';
import {
  type Give,
  NOWHERE,
  type OrderChange,
  type OrderedRows,
  type PartitionFunction,
  type Span,
} from './partition-function.ts';

/**
 * Where rows stand among the others. A row that comes or goes moves the ranks behind it; PERCENT_RANK, CUME_DIST and NTILE
 * are parts of the whole, so that all rows of the partition are touched.
 */
export class Ranks implements PartitionFunction {
  readonly #fn: RankFunction;
  readonly #groups: number;
  /** results of the last row before a span: ranks go on from there */
  readonly #known: (at: number) => number;

  constructor(fn: RankFunction, groups: number, known: (at: number) => number) {
    this.#fn = fn;
    this.#groups = groups;
    this.#known = known;
  }

  affected({ at, inserted, peersFrom, peersTo }: OrderChange, { n }: OrderedRows): Span {
    switch (this.#fn) {
      case 'RANK':
        return { from: at, to: n };
      case 'DENSE_RANK': {
        const alone = peersTo - peersFrom === (inserted ? 1 : 0);
        if (alone) return { from: at, to: n };
        return inserted ? { from: at, to: at + 1 } : NOWHERE;
      }
      default:
        return { from: 0, to: n };
    }
  }

  update(rows: OrderedRows, _: OrderChange | null, span: Span, give: Give): void {
    const fn = this.#fn;
    if (fn === 'RANK') this.#ranks(rows, span, give, at => at + 1);
    else if (fn === 'DENSE_RANK') this.#ranks(rows, span, give, (_at, before) => before + 1);
    else if (fn === 'NTILE') this.#tiles(rows.n, give);
    else this.#parts(rows, give);
  }

  #ranks(
    rows: OrderedRows,
    { from, to }: Span,
    give: Give,
    next: (at: number, before: number) => number,
  ): void {
    let rank = from === 0 ? 0 : this.#known(from - 1);
    for (let at = from; at < to; at++) {
      if (at === 0 || !rows.isPeer(at - 1, at)) rank = next(at, rank);
      give(at, BigInt(rank));
    }
  }

  #parts(rows: OrderedRows, give: Give): void {
    const { n } = rows;
    for (let first = 0, last = 0; first < n; first = last) {
      while (last < n && rows.isPeer(first, last)) last++;
      const part = this.#fn === 'CUME_DIST' ? last / n : n === 1 ? 0 : first / (n - 1);
      for (let at = first; at < last; at++) give(at, part);
    }
  }

  /** The first groups have one row more. */
  #tiles(n: number, give: Give): void {
    const size = Math.floor(n / this.#groups);
    const more = n % this.#groups;
    const large = more * (size + 1);
    for (let at = 0; at < n; at++) {
      give(at, at < large ? Math.floor(at / (size + 1)) + 1 : more + Math.floor((at - large) / size) + 1);
    }
  }
}
