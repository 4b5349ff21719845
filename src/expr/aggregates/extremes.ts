import type { Value } from '../../core/value.ts';
import { comparator, nullable } from '../compare.ts';
import type { AggregateFold, AggregateFunction, ResolvedTypes } from '../functions.ts';
import { countSorted, entriesOf, multisetOf } from './multiset.ts';

/**
 * MIN and MAX in the order of `compare.ts`; NULLs are skipped. Over append input the best value so far is enough; over
 * changing rows all values are kept in order with their counts, because the best may be taken away.
 */
function extreme({ args: [type] }: ResolvedTypes, sign: 1 | -1): AggregateFold {
  if (!type) throw new TypeError('MIN and MAX have an argument');
  const compare = comparator(type);
  const best = (a: Value | null, b: Value | null): Value | null => {
    if (a === null || b === null) return a ?? b;
    return sign * compare(a, b) <= 0 ? a : b;
  };
  const sorted = nullable(compare);
  const change = (acc: Value | null, value: Value | null | undefined, count: 1n | -1n) => {
    if (value !== null && value !== undefined) {
      countSorted(entriesOf(acc), value, { count, compare: sorted });
    }
    return acc;
  };
  return {
    state: type,
    init: () => null,
    add: (acc, [value]) => best(acc, value ?? null),
    merge: best,
    result: acc => acc,
    retracting: {
      state: multisetOf(type),
      init: () => [],
      add: (acc, [value]) => change(acc, value, 1n),
      retract: (acc, [value]) => change(acc, value, -1n),
      merge: (a, b) => {
        const merged = entriesOf(a).map(([v, n]): [Value | null, bigint] => [v, n]);
        for (const [v, n] of entriesOf(b)) countSorted(merged, v, { count: n, compare: sorted });
        return merged as Value;
      },
      result: acc => entriesOf(acc).at(sign > 0 ? 0 : -1)?.[0] ?? null,
    },
  };
}

const ORDERED = ['INT', 'BIGINT', 'DECIMAL', 'DOUBLE', 'STRING', 'BYTES', 'DATE', 'TIME', 'TIMESTAMP'];

const extremes = (name: string, word: string, sign: 1 | -1): AggregateFunction => ({
  kind: 'aggregate',
  name,
  category: 'aggregate',
  description: `The ${word} value that is not NULL; NULL when there is none.`,
  overloads: ORDERED.map(type => ({
    signature: `(${type}) -> ${type}`,
    make: types => extreme(types, sign),
  })),
});

export const MIN: AggregateFunction = extremes('MIN', 'smallest', 1);
export const MAX: AggregateFunction = extremes('MAX', 'largest', -1);
