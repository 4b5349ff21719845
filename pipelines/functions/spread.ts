import {
  type AggregateFold,
  type AggregateFunction,
  arrayOf,
  type SqlType,
  type Value,
} from '../../src/index.ts';

/**
 * SPREAD(x): the largest value less the smallest; NULLs do not count. An example of an own aggregate. It keeps the two
 * ends and cannot take rows away again, so SQL refuses it over tables.
 */
export const spread: AggregateFunction = {
  kind: 'aggregate',
  name: 'SPREAD',
  category: 'statistics',
  description: 'The largest value less the smallest.',
  version: 1,
  overloads: [
    { signature: '(BIGINT) -> BIGINT', make: ({ args }) => ends(args[0] as SqlType) },
    {
      signature: '(DECIMAL) -> DECIMAL',
      returns: a => a[0] as SqlType,
      make: ({ args }) => ends(args[0] as SqlType),
    },
    { signature: '(DOUBLE) -> DOUBLE', make: ({ args }) => ends(args[0] as SqlType) },
  ],
};

function ends(type: SqlType): AggregateFold {
  return {
    state: arrayOf(type),
    init: () => null,
    add: (acc, [value]) => (value === null || value === undefined ? acc : widen(acc as Ends, value, value)),
    merge: (a, b) => (b === null ? a : widen(a as Ends, (b as [Value, Value])[0], (b as [Value, Value])[1])),
    result: acc => (acc === null ? null : difference(acc as [Value, Value])),
  };
}

type Ends = readonly [low: Value, high: Value] | null;

function widen(acc: Ends, low: Value, high: Value): [Value, Value] {
  if (acc === null) return [low, high];
  return [low < acc[0] ? low : acc[0], high > acc[1] ? high : acc[1]];
}

function difference([low, high]: readonly [Value, Value]): Value {
  if (typeof low === 'bigint' && typeof high === 'bigint') return high - low;
  return (high as number) - (low as number);
}

export const extension = { functions: [spread] };
