import { BIGINT, structOf } from '../../core/sql-type.ts';
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
 * Population variance and deviation, covariance and correlation as SQL has them: NULL where there are too few rows. All by
 * exact sums over the rows in which all arguments are there, rounded once, so that rows can be taken away.
 */
const SUMS = ['X', 'Y', 'XX', 'YY', 'XY'] as const;
type Sums = Readonly<Record<(typeof SUMS)[number], ExactSum>>;

type Finish = (sums: Sums, n: bigint) => Value | null;

function partsOf(acc: Value | null): { readonly sums: readonly ExactSum[]; readonly n: bigint } {
  const state = acc as unknown as readonly Value[];
  return { sums: SUMS.map((_, i) => exactSumOf(state[i])), n: state[SUMS.length] as bigint };
}

function stateOf(sums: readonly ExactSum[], n: bigint): Value {
  return [...sums.map(exactSumToValue), n];
}

function overPairs(finish: Finish): AggregateFold {
  const change = (
    acc: Value | null,
    [first, second = first]: readonly (Value | null)[],
    combine: typeof plus,
    by: bigint,
  ): Value | null => {
    if (first === null || first === undefined || second === null || second === undefined) return acc;
    const [x, y] = [exactly(first as number), exactly(second as number)];
    const changes = [x, y, times(x, x), times(y, y), times(x, y)];
    const { sums, n } = partsOf(acc);
    return stateOf(
      sums.map((sum, i) => combine(sum, changes[i] ?? ZERO)),
      n + by,
    );
  };
  return {
    state: structOf([...SUMS.map(name => ({ name, type: EXACT_SUM })), { name: 'N', type: BIGINT }]),
    init: () =>
      stateOf(
        SUMS.map(() => ZERO),
        0n,
      ),
    add: (acc, args) => change(acc, args, plus, 1n),
    retract: (acc, args) => change(acc, args, minus, -1n),
    merge: (a, b) => {
      const [x, y] = [partsOf(a), partsOf(b)];
      return stateOf(
        x.sums.map((sum, i) => plus(sum, y.sums[i] ?? ZERO)),
        x.n + y.n,
      );
    },
    result: acc => {
      const { sums, n } = partsOf(acc);
      const [X = ZERO, Y = ZERO, XX = ZERO, YY = ZERO, XY = ZERO] = sums;
      return finish({ X, Y, XX, YY, XY }, n);
    },
  };
}

/** n * sum(a * b) - sum(a) * sum(b) */
function spread(product: ExactSum, a: ExactSum, b: ExactSum, n: bigint): ExactSum {
  return minus(times(product, { ...ZERO, mantissa: n }), times(a, b));
}

const variance: Finish = ({ X, XX }, n) => (n === 0n ? null : toDouble(spread(XX, X, X, n), n * n));

const one = (name: string, description: string, finish: Finish): AggregateFunction => ({
  kind: 'aggregate',
  name,
  category: 'aggregate',
  description,
  overloads: [{ signature: '(DOUBLE) -> DOUBLE', make: () => overPairs(finish) }],
});

const two = (name: string, description: string, finish: Finish): AggregateFunction => ({
  ...one(name, description, finish),
  overloads: [{ signature: '(DOUBLE, DOUBLE) -> DOUBLE', make: () => overPairs(finish) }],
});

export const VAR_POP: AggregateFunction = one('VAR_POP', 'The variance of the whole group.', variance);

export const STDDEV_POP: AggregateFunction = one(
  'STDDEV_POP',
  'The standard deviation of the whole group.',
  (sums, n) => {
    const found = variance(sums, n);
    return found === null ? null : Math.sqrt(found as number);
  },
);

export const COVAR_POP: AggregateFunction = two(
  'COVAR_POP',
  'The covariance of two columns of the whole group.',
  ({ X, Y, XY }, n) => (n === 0n ? null : toDouble(spread(XY, X, Y, n), n * n)),
);

export const COVAR_SAMP: AggregateFunction = two(
  'COVAR_SAMP',
  'The sample covariance of two columns; NULL below two rows.',
  ({ X, Y, XY }, n) => (n < 2n ? null : toDouble(spread(XY, X, Y, n), n * (n - 1n))),
);

export const CORR: AggregateFunction = two(
  'CORR',
  "Pearson's correlation of two columns; NULL where one of them does not vary. See CORRELATION.",
  ({ X, Y, XX, YY, XY }, n) => {
    const [x, y] = [toDouble(spread(XX, X, X, n)), toDouble(spread(YY, Y, Y, n))];
    if (x === 0 || y === 0) return null;
    return toDouble(spread(XY, X, Y, n)) / (Math.sqrt(x) * Math.sqrt(y));
  },
);
