import { BIGINT, DOUBLE, structOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import type { AggregateFold, AggregateFunction } from '../functions.ts';
import { exactMoments, spread } from './exact-moments.ts';
import { exactly, times, toDouble, ZERO } from './exact-sum.ts';

/**
 * Sample variance and standard deviation. Append input: the method of Youngs and Cramer (state: sum, count, sum of
 * squared differences), stable in one pass. Changing rows: exact sums of the values and of their squares, rounded once.
 */
interface Moments {
  readonly sum: number;
  readonly n: number;
  readonly m2: number;
}

type Finish = (variance: number | null) => Value | null;

function momentsOf(acc: Value | null): Moments {
  const [sum, n, m2] = acc as readonly [number, bigint, number];
  return { sum, n: Number(n), m2 };
}

function toState({ sum, n, m2 }: Moments): Value {
  return [sum, BigInt(n), m2];
}

function addValue({ sum, n, m2 }: Moments, x: number): Moments {
  const count = n + 1;
  if (n === 0) return { sum: sum + x, n: count, m2 };
  const delta = x * count - (sum + x);
  return { sum: sum + x, n: count, m2: m2 + (delta * delta) / (count * n) };
}

function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const between = a.sum / a.n - b.sum / b.n;
  return { sum: a.sum + b.sum, n, m2: a.m2 + b.m2 + (a.n * b.n * between * between) / n };
}

function deviation(finish: Finish): AggregateFold {
  return {
    state: structOf([
      { name: 'SUM', type: DOUBLE },
      { name: 'N', type: BIGINT },
      { name: 'M2', type: DOUBLE },
    ]),
    init: () => [0, 0n, 0],
    add: (acc, [x]) => (x === null || x === undefined ? acc : toState(addValue(momentsOf(acc), x as number))),
    // says that rows may be taken away; `retracting` does it
    retract: acc => acc,
    merge: (a, b) => toState(mergeMoments(momentsOf(a), momentsOf(b))),
    result: acc => {
      const { n, m2 } = momentsOf(acc);
      return finish(n < 2 ? null : m2 / (n - 1));
    },
    retracting: exactDeviation(finish),
  };
}

function exactDeviation(finish: Finish): AggregateFold {
  return exactMoments({
    names: ['SUM', 'SQUARES'],
    terms: ([x]) => {
      if (x === null || x === undefined) return null;
      const value = exactly(x as number);
      return [value, times(value, value)];
    },
    finish: ([sum = ZERO, squares = ZERO], n) =>
      finish(n < 2n ? null : toDouble(spread(squares, sum, sum, n), n * (n - 1n))),
  });
}

const overDoubles = (name: string, description: string, finish: Finish): AggregateFunction => ({
  kind: 'aggregate',
  name,
  category: 'aggregate',
  description,
  overloads: [{ signature: '(DOUBLE) -> DOUBLE', make: () => deviation(finish) }],
});

/** ksqlDB's STDDEV_SAMP has always given the variance; STDDEV_SAMPLE was added beside it and gives its root. */
export const STDDEV_SAMP: AggregateFunction = overDoubles(
  'STDDEV_SAMP',
  'The sample variance (as ksqlDB computes it under this name); 0 below two values. See STDDEV_SAMPLE.',
  variance => variance ?? 0,
);

export const STDDEV_SAMPLE: AggregateFunction = overDoubles(
  'STDDEV_SAMPLE',
  'The sample standard deviation; 0 below two values.',
  variance => Math.sqrt(variance ?? 0),
);

export const STDDEV_OR_NULL: AggregateFunction = overDoubles(
  'STDDEV_OR_NULL',
  'The sample standard deviation; NULL below two values, as SQL has it.',
  variance => (variance === null ? null : Math.sqrt(variance)),
);

export const VAR_SAMP: AggregateFunction = {
  ...overDoubles(
    'VAR_SAMP',
    'The sample variance; NULL below two values, as SQL has it.',
    variance => variance,
  ),
  aliases: ['VARIANCE'],
};
