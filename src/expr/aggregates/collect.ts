import type { SqlType } from '../../core/sql-type.ts';
import { arrayOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { comparator, type NullableComparator, nullable } from '../compare.ts';
import type { AggregateFold, AggregateFunction, AggregateOverload } from '../functions.ts';
import { countUnsorted, type Entry, entriesOf, multisetOf } from './multiset.ts';

/**
 * COLLECT_LIST and COLLECT_SET: the values in sequence order, NULLs among them, at most `limit` of them; further ones are
 * ignored. Over changing rows everything is kept and the limit cuts the result, so that a row taken away makes room.
 * A row taken away from a list is the last one of its value (rows carry no identity); a set keeps the place where a
 * value first came for as long as it is there.
 */
const DEFAULT_LIMIT = 1000;

type Items = (Value | null)[];

function itemsOf(acc: Value | null): Items {
  return acc as unknown as Items;
}

function collectList(type: SqlType, limit: number): AggregateFold {
  const same = nullable(comparator(type));
  const unlimited: AggregateFold = {
    state: arrayOf(type),
    init: () => [],
    add: (acc, [value]) => {
      itemsOf(acc).push(value ?? null);
      return acc;
    },
    retract: (acc, [value]) => {
      const at = itemsOf(acc).findLastIndex(item => same(item, value ?? null) === 0);
      if (at >= 0) itemsOf(acc).splice(at, 1);
      return acc;
    },
    merge: (a, b) => [...itemsOf(a), ...itemsOf(b)],
    result: acc => itemsOf(acc).slice(0, limit),
  };
  return {
    ...unlimited,
    add: (acc, args, ctx) => (itemsOf(acc).length < limit ? unlimited.add(acc, args, ctx) : acc),
    merge: (a, b) => [...itemsOf(a), ...itemsOf(b)].slice(0, limit),
    retracting: unlimited,
  };
}

function collectSet(type: SqlType, limit: number): AggregateFold {
  const compare = nullable(comparator(type));
  return {
    state: arrayOf(type),
    init: () => [],
    add: (acc, [value]) => {
      addNew(itemsOf(acc), value ?? null, { limit, compare });
      return acc;
    },
    merge: (a, b) => {
      const merged = [...itemsOf(a)];
      for (const item of itemsOf(b)) addNew(merged, item, { limit, compare });
      return merged;
    },
    result: acc => [...itemsOf(acc)],
    retracting: countedSet(type, limit, compare),
  };
}

function addNew(
  items: Items,
  value: Value | null,
  { limit, compare }: { readonly limit: number; readonly compare: NullableComparator },
): void {
  if (items.length < limit && !items.some(item => compare(item, value) === 0)) items.push(value);
}

function countedSet(type: SqlType, limit: number, compare: NullableComparator): AggregateFold {
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
    result: acc =>
      entriesOf(acc)
        .slice(0, limit)
        .map(([value]) => value),
  };
}

/** With an own limit as second argument: `ksql.functions.collect_list.limit` reaches the fold through it. */
const overloads = (make: (type: SqlType, limit: number) => AggregateFold): readonly AggregateOverload[] => [
  { signature: '(T) -> ARRAY<T>', make: ({ returns }) => make(elementOf(returns), DEFAULT_LIMIT) },
  {
    signature: '(T, INT) -> ARRAY<T>',
    constants: 1,
    make: ({ returns }, [limit]) => make(elementOf(returns), Math.max(0, Number(limit ?? DEFAULT_LIMIT))),
  },
];

function elementOf(type: SqlType): SqlType {
  return type.kind === 'ARRAY' ? type.element : type;
}

export const COLLECT_LIST: AggregateFunction = {
  kind: 'aggregate',
  name: 'COLLECT_LIST',
  category: 'aggregate',
  description: 'All values in the order in which they came, the first 1000 unless a limit is given.',
  overloads: overloads(collectList),
};

export const COLLECT_SET: AggregateFunction = {
  kind: 'aggregate',
  name: 'COLLECT_SET',
  category: 'aggregate',
  description:
    'The different values in the order in which they first came, the first 1000 unless a limit is given.',
  overloads: overloads(collectSet),
};
