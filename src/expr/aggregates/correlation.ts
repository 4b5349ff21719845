import { BIGINT, DOUBLE, structOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import type { AggregateFold, AggregateFunction } from '../functions.ts';
import {
  EXACT_SUM,
  type ExactSum,
  exactly,
  exactSumOf,
  exactSumToValue,
  minus,
  plus,
  times,
  toDouble,
  ZERO,
} from './exact-sum.ts';

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

type ExactState = readonly [...Value[], bigint];

function exactParts(acc: Value | null): { readonly sums: readonly ExactSum[]; readonly n: bigint } {
  const state = acc as unknown as ExactState;
  return { sums: SUMS.map((_, i) => exactSumOf(state[i] as Value)), n: state[SUMS.length] as bigint };
}

function changeExact(
  acc: Value | null,
  args: readonly (Value | null)[],
  combine: typeof plus,
  by: bigint,
): Value | null {
  const p = pair(args);
  if (!p) return acc;
  const x = exactly(p[0]);
  const y = exactly(p[1]);
  const changes = [x, y, times(x, x), times(y, y), times(x, y)];
  const { sums, n } = exactParts(acc);
  return [...sums.map((sum, i) => exactSumToValue(combine(sum, changes[i] ?? ZERO))), n + by];
}

const exactCorrelation: AggregateFold = {
  state: structOf([...SUMS.map(name => ({ name, type: EXACT_SUM })), { name: 'N', type: BIGINT }]),
  init: () => [...SUMS.map(() => exactSumToValue(ZERO)), 0n],
  add: (acc, args) => changeExact(acc, args, plus, 1n),
  retract: (acc, args) => changeExact(acc, args, minus, -1n),
  merge: (a, b) => {
    const x = exactParts(a);
    const y = exactParts(b);
    return [...x.sums.map((sum, i) => exactSumToValue(plus(sum, y.sums[i] ?? ZERO))), x.n + y.n];
  },
  result: acc => {
    const { sums, n } = exactParts(acc);
    const count: ExactSum = { ...ZERO, mantissa: n };
    const [x = ZERO, y = ZERO, xx = ZERO, yy = ZERO, xy = ZERO] = sums;
    const covariance = toDouble(minus(times(count, xy), times(x, y)));
    const spread = (square: ExactSum, sum: ExactSum) =>
      Math.sqrt(toDouble(minus(times(count, square), times(sum, sum))));
    return covariance / (spread(xx, x) * spread(yy, y));
  },
};

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
