import type { SqlType } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { comparator, nullable } from '../compare.ts';
import type { AggregateFold, AggregateFunction } from '../functions.ts';
import { countUnsorted, type Entry, entriesOf, multisetOf } from './multiset.ts';

/** The one value that all rows have (NULL counts as a value), or NULL when there are several. */
function attr(type: SqlType): AggregateFold {
  const compare = nullable(comparator(type));
  const change = (acc: Value | null, value: Value | null | undefined, count: 1n | -1n) => {
    countUnsorted(entriesOf(acc), value ?? null, { count, compare });
    return acc;
  };
  return {
    state: multisetOf(type),
    init: () => [],
    add: (acc, [value]) => change(acc, value, 1n),
    retract: (acc, [value]) => change(acc, value, -1n),
    merge: (a, b) => {
      const merged = entriesOf(a).map(([v, n]): Entry => [v, n]);
      for (const [v, n] of entriesOf(b)) countUnsorted(merged, v, { count: n, compare });
      return merged as Value;
    },
    result: acc => {
      const entries = entriesOf(acc);
      return entries.length === 1 ? (entries[0]?.[0] ?? null) : null;
    },
  };
}

export const ATTR: AggregateFunction = {
  kind: 'aggregate',
  name: 'ATTR',
  category: 'aggregate',
  description: 'The value that all rows of the group share; NULL when they have different ones.',
  overloads: [{ signature: '(T) -> T', make: ({ returns }) => attr(returns) }],
};
