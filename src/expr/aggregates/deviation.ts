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
  const change = (acc: Value | null, x: Value | null | undefined, combine: typeof plus, by: bigint) => {
    if (x === null || x === undefined) return acc;
    const [sum, squares, n] = acc as readonly [Value, Value, bigint];
    const value = exactly(x as number);
    return [
      exactSumToValue(combine(exactSumOf(sum), value)),
      exactSumToValue(combine(exactSumOf(squares), times(value, value))),
      n + by,
    ];
  };
  return {
    state: structOf([
      { name: 'SUM', type: EXACT_SUM },
      { name: 'SQUARES', type: EXACT_SUM },
      { name: 'N', type: BIGINT },
    ]),
    init: () => [exactSumToValue(ZERO), exactSumToValue(ZERO), 0n],
    add: (acc, [x]) => change(acc, x, plus, 1n),
    retract: (acc, [x]) => change(acc, x, minus, -1n),
    merge: (a, b) => {
      const [sum, squares, n] = a as readonly [Value, Value, bigint];
      const [otherSum, otherSquares, m] = b as readonly [Value, Value, bigint];
      return [
        exactSumToValue(plus(exactSumOf(sum), exactSumOf(otherSum))),
        exactSumToValue(plus(exactSumOf(squares), exactSumOf(otherSquares))),
        n + m,
      ];
    },
    result: acc => {
      const [sum, squares, n] = acc as readonly [Value, Value, bigint];
      if (n < 2n) return finish(null);
      return finish(exactVariance(exactSumOf(sum), exactSumOf(squares), n));
    },
  };
}

/** (n * sum of squares - square of the sum) / (n * (n - 1)) */
function exactVariance(sum: ExactSum, squares: ExactSum, n: bigint): number {
  const scaled = times(squares, { ...ZERO, mantissa: n });
  return toDouble(minus(scaled, times(sum, sum)), n * (n - 1n));
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
