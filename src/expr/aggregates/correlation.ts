import { BIGINT, DOUBLE, structOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import type { AggregateFold, AggregateFunction } from '../functions.ts';
import { exactPairs, spread } from './exact-moments.ts';
import { toDouble } from './exact-sum.ts';

/**
 * Pearson's correlation of the rows in which both values are there; NaN below two rows or without variance. Append
 * input: sums as DOUBLE. Changing rows: exact sums.
 */
const SUMS = ['X', 'Y', 'XX', 'YY', 'XY'] as const;

function pair(args: readonly (Value | null)[]): readonly [number, number] | null {
  const [x, y] = args;
  return x === null || x === undefined || y === null || y === undefined ? null : [x as number, y as number];
}

type Sums = readonly [x: number, y: number, xx: number, yy: number, xy: number, n: bigint];

function fromSums([x, y, xx, yy, xy, count]: Sums): number {
  const n = Number(count);
  const covariance = n * xy - x * y;
  return covariance / (Math.sqrt(n * xx - x * x) * Math.sqrt(n * yy - y * y));
}

const correlation: AggregateFold = {
  state: structOf([...SUMS.map(name => ({ name, type: DOUBLE })), { name: 'N', type: BIGINT }]),
  init: () => [0, 0, 0, 0, 0, 0n],
  add: (acc, args) => {
    const p = pair(args);
    if (!p) return acc;
    const [x, y] = p;
    const [sx, sy, sxx, syy, sxy, n] = acc as unknown as Sums;
    return [sx + x, sy + y, sxx + x * x, syy + y * y, sxy + x * y, n + 1n];
  },
  // says that rows may be taken away; `retracting` does it
  retract: acc => acc,
  merge: (a, b) => {
    const [ax, ay, axx, ayy, axy, an] = a as unknown as Sums;
    const [bx, by, bxx, byy, bxy, bn] = b as unknown as Sums;
    return [ax + bx, ay + by, axx + bxx, ayy + byy, axy + bxy, an + bn];
  },
  result: acc => fromSums(acc as unknown as Sums),
};

const exactCorrelation = exactPairs(({ X, Y, XX, YY, XY }, n) => {
  const covariance = toDouble(spread(XY, X, Y, n));
  return covariance / (Math.sqrt(toDouble(spread(XX, X, X, n))) * Math.sqrt(toDouble(spread(YY, Y, Y, n))));
});

export const CORRELATION: AggregateFunction = {
  kind: 'aggregate',
  name: 'CORRELATION',
  category: 'aggregate',
  description: "Pearson's correlation of two columns; NaN below two rows or where one of them does not vary.",
  overloads: [
    {
      signature: '(DOUBLE, DOUBLE) -> DOUBLE',
      make: () => ({ ...correlation, retracting: exactCorrelation }),
    },
  ],
};
