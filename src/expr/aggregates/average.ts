import type { SqlType } from '../../core/sql-type.ts';
import { BIGINT, decimal, structOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { decimalToDouble, divideHalfUp, rescale } from '../decimal.ts';
import type { AggregateFold, AggregateFunction, AggregateOverload } from '../functions.ts';
import { exactSumOf, toDouble } from './exact-sum.ts';
import { doubleFold, type EmptySum, exactDoubleFold } from './sum.ts';

/**
 * AVG. NULLs are skipped. Exact numbers are summed exactly and divided once. DOUBLE over append input is the left fold
 * of the sum divided by the count, over changing rows the exact sum divided and rounded once.
 */

/** State: the sum of unscaled integers and the number of values. */
function exactAverage(
  toBigint: (value: Value) => bigint,
  result: (sum: bigint, n: bigint) => Value | null,
): AggregateFold {
  const change = (acc: Value | null, value: Value | null | undefined, sign: 1n | -1n) => {
    if (value === null || value === undefined) return acc;
    const [sum, n] = acc as readonly [bigint, bigint];
    return [sum + sign * toBigint(value), n + sign];
  };
  return {
    state: structOf([
      { name: 'SUM', type: decimal(38, 0) },
      { name: 'N', type: BIGINT },
    ]),
    init: () => [0n, 0n],
    add: (acc, [value]) => change(acc, value, 1n),
    retract: (acc, [value]) => change(acc, value, -1n),
    merge: (a, b) => {
      const [x, n] = a as readonly [bigint, bigint];
      const [y, m] = b as readonly [bigint, bigint];
      return [x + y, n + m];
    },
    result: acc => {
      const [sum, n] = acc as readonly [bigint, bigint];
      return result(sum, n);
    },
  };
}

const fromInt = (value: Value): bigint => BigInt(value as number);
const fromBigint = (value: Value): bigint => value as bigint;

function overloads(empty: EmptySum): readonly AggregateOverload[] {
  const none = empty === 'null' ? null : 0;
  const divided = (sum: bigint, n: bigint) => (n === 0n ? none : Number(sum) / Number(n));
  return [
    { signature: '(INT) -> DOUBLE', make: () => exactAverage(fromInt, divided) },
    { signature: '(BIGINT) -> DOUBLE', make: () => exactAverage(fromBigint, divided) },
    {
      signature: '(DECIMAL) -> DOUBLE',
      make: ({ args: [type] }) => {
        const scale = type?.kind === 'DECIMAL' ? type.scale : 0;
        return exactAverage(fromBigint, (sum, n) =>
          n === 0n ? none : decimalToDouble(sum, scale) / Number(n),
        );
      },
    },
    {
      signature: '(DOUBLE) -> DOUBLE',
      make: () =>
        doubleFold(
          (sum, n) => (n === 0n ? none : sum / Number(n)),
          exactDoubleFold((sum, n) => (n === 0n ? none : toDouble(exactSumOf(sum), n))),
        ),
    },
  ];
}

export const AVG: AggregateFunction = {
  kind: 'aggregate',
  name: 'AVG',
  category: 'aggregate',
  description: 'The mean of all values that are not NULL as DOUBLE; 0 when there is none.',
  overloads: overloads('zero'),
};

export const AVG_OR_NULL: AggregateFunction = {
  kind: 'aggregate',
  name: 'AVG_OR_NULL',
  category: 'aggregate',
  description: 'The mean of all values that are not NULL as DOUBLE; NULL when there is none, as SQL has it.',
  overloads: overloads('null'),
};

/** The type of an exact mean over values of this scale. */
function averageType(scale: number): SqlType {
  return decimal(38, Math.max(scale, 6));
}

export const AVG_DECIMAL: AggregateFunction = {
  kind: 'aggregate',
  name: 'AVG_DECIMAL',
  category: 'aggregate',
  description:
    'The mean of all DECIMALs that are not NULL, rounded half up to at least six places; NULL when none.',
  overloads: [
    {
      signature: '(DECIMAL) -> DECIMAL',
      returns: ([type]) => averageType(type?.kind === 'DECIMAL' ? type.scale : 0),
      make: ({ args: [type], returns }) => {
        const from = type?.kind === 'DECIMAL' ? type.scale : 0;
        const to = returns.kind === 'DECIMAL' ? returns.scale : from;
        return exactAverage(fromBigint, (sum, n) =>
          n === 0n ? null : divideHalfUp(rescale(sum, from, to), n),
        );
      },
    },
  ],
};
