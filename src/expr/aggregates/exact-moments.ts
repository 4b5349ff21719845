import { BIGINT, structOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import type { AggregateFold } from '../functions.ts';
import {
  EXACT_SUM,
  type ExactSum,
  exactly,
  exactSumOf,
  exactSumToValue,
  minus,
  plus,
  times,
  ZERO,
} from './exact-sum.ts';

export interface ExactMoments {
  /** names of the sums, in the state */
  readonly names: readonly string[];
  /** what a row adds to each of them; null: a row that does not count */
  readonly terms: (args: readonly (Value | null)[]) => readonly ExactSum[] | null;
  readonly finish: (sums: readonly ExactSum[], n: bigint) => Value | null;
}

/** Exact sums over the rows that count, and their number: rounded once, in the end, so that rows can be taken away. */
export function exactMoments({ names, terms, finish }: ExactMoments): AggregateFold {
  const partsOf = (acc: Value | null) => {
    const state = acc as unknown as readonly Value[];
    return { sums: names.map((_, i) => exactSumOf(state[i])), n: state[names.length] as bigint };
  };
  const stateOf = (sums: readonly ExactSum[], n: bigint): Value => [...sums.map(exactSumToValue), n];
  const change = (acc: Value | null, args: readonly (Value | null)[], combine: typeof plus, by: bigint) => {
    const changes = terms(args);
    if (changes === null) return acc;
    const { sums, n } = partsOf(acc);
    return stateOf(
      sums.map((sum, i) => combine(sum, changes[i] ?? ZERO)),
      n + by,
    );
  };
  return {
    state: structOf([...names.map(name => ({ name, type: EXACT_SUM })), { name: 'N', type: BIGINT }]),
    init: () =>
      stateOf(
        names.map(() => ZERO),
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
      return finish(sums, n);
    },
  };
}

const PAIR = ['X', 'Y', 'XX', 'YY', 'XY'] as const;
export type PairSums = Readonly<Record<(typeof PAIR)[number], ExactSum>>;

/** Moments of two columns over the rows in which both are there; of one column both are the same. */
export function exactPairs(finish: (sums: PairSums, n: bigint) => Value | null): AggregateFold {
  return exactMoments({
    names: PAIR,
    terms: ([first, second = first]) => {
      if (first === null || first === undefined || second === null || second === undefined) return null;
      const [x, y] = [exactly(first as number), exactly(second as number)];
      return [x, y, times(x, x), times(y, y), times(x, y)];
    },
    finish: ([X = ZERO, Y = ZERO, XX = ZERO, YY = ZERO, XY = ZERO], n) => finish({ X, Y, XX, YY, XY }, n),
  });
}

/** n * sum(a * b) - sum(a) * sum(b) */
export function spread(product: ExactSum, a: ExactSum, b: ExactSum, n: bigint): ExactSum {
  return minus(times(product, { ...ZERO, mantissa: n }), times(a, b));
}
