import type { SqlType } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { comparator, nullable } from '../compare.ts';
import type { AggregateFold, AggregateFunction } from '../functions.ts';
import { countSorted, entriesOf, multisetOf } from './multiset.ts';

/** The value of rows of which there should be one: a subquery in the place of a value. NULL counts as a value. */
function singleValue(type: SqlType): AggregateFold {
  const compare = nullable(comparator(type));
  const change = (acc: Value | null, value: Value | null | undefined, count: 1n | -1n) => {
    countSorted(entriesOf(acc), value ?? null, { count, compare });
    return acc;
  };
  return {
    state: multisetOf(type),
    init: () => [],
    add: (acc, [value]) => change(acc, value, 1n),
    retract: (acc, [value]) => change(acc, value, -1n),
    result: acc => {
      const entries = entriesOf(acc);
      return entries.length === 1 ? (entries[0]?.[0] ?? null) : null;
    },
  };
}

export const SINGLE_VALUE: AggregateFunction = {
  kind: 'aggregate',
  name: 'SINGLE_VALUE',
  category: 'aggregate',
  description: 'The value that all rows of the group share, as ATTR; for groups with many different ones.',
  overloads: [{ signature: '(T) -> T', make: ({ returns }) => singleValue(returns) }],
};
