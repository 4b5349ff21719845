import type { Value } from '../../core/value.ts';
import type { AggregateFunction } from '../functions.ts';
import { exactPairs, type PairSums, spread } from './exact-moments.ts';
import { toDouble } from './exact-sum.ts';

/** Population variance and deviation, covariance and correlation as SQL has them: NULL where there are too few rows. */
type Finish = (sums: PairSums, n: bigint) => Value | null;

const variance: Finish = ({ X, XX }, n) => (n === 0n ? null : toDouble(spread(XX, X, X, n), n * n));

const one = (name: string, description: string, finish: Finish): AggregateFunction => ({
  kind: 'aggregate',
  name,
  category: 'aggregate',
  description,
  overloads: [{ signature: '(DOUBLE) -> DOUBLE', make: () => exactPairs(finish) }],
});

const two = (name: string, description: string, finish: Finish): AggregateFunction => ({
  ...one(name, description, finish),
  overloads: [{ signature: '(DOUBLE, DOUBLE) -> DOUBLE', make: () => exactPairs(finish) }],
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
