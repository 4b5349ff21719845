import { assert } from '../../core/assert.ts';
import { MillraceError } from '../../core/errors.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { arrayOf, structOf, typeText } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { isOrdered } from '../coercion.ts';
import { comparator, nullable } from '../compare.ts';
import type { AggregateFold, AggregateFunction } from '../functions.ts';

/**
 * TOPK and TOPKDISTINCT: the k largest values, largest first; of equal ones the earlier stays first. Rows whose value is
 * NULL are skipped. TOPK with further columns gives STRUCTs of the value (`sort_col`) and the columns (`col0`, ...).
 * Over changing rows all values are kept.
 */
type Items = Value[];

interface Options {
  /** type of one item */
  readonly item: SqlType;
  readonly k: number;
  readonly distinct: boolean;
  readonly itemOf: (args: readonly (Value | null)[]) => Value | null;
  /** descending by the sort value alone */
  readonly compare: (a: Value, b: Value) => number;
}

function itemsOf(acc: Value | null): Items {
  return acc as unknown as Items;
}

function topK({ item, k, distinct, itemOf, compare }: Options): AggregateFold {
  /** Puts an item behind those that are not smaller; with `once` only where there is no equal one. */
  const put = (items: Items, value: Value, once: boolean): void => {
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(items[middle] as Value, value) <= 0) low = middle + 1;
      else high = middle;
    }
    const before = items[low - 1];
    if (once && before !== undefined && compare(before, value) === 0) return;
    items.splice(low, 0, value);
  };
  const add = (items: Items, value: Value | null, keep: number): void => {
    if (value === null) return;
    put(items, value, distinct);
    if (items.length > keep) items.length = keep;
  };
  const all = everything({ item, itemOf, insert: (items, value) => put(items, value, false) });
  const result = (items: Items): Value => {
    if (!distinct) return items.slice(0, k);
    const top: Items = [];
    for (const value of items) {
      if (top.length === k) break;
      add(top, value, k);
    }
    return top;
  };
  return {
    state: arrayOf(item),
    init: () => [],
    add: (acc, args) => {
      add(itemsOf(acc), itemOf(args), k);
      return acc;
    },
    merge: (a, b) => {
      const merged = [...itemsOf(a)];
      for (const value of itemsOf(b)) add(merged, value, k);
      return merged;
    },
    result: acc => [...itemsOf(acc)],
    retracting: { ...all, result: acc => result(itemsOf(acc)) },
  };
}

interface EverythingOptions {
  readonly item: SqlType;
  readonly insert: (items: Items, value: Value) => void;
  readonly itemOf: (args: readonly (Value | null)[]) => Value | null;
}

/** Every item in order, duplicates too: what a row taken away may uncover. */
function everything({ item, insert, itemOf }: EverythingOptions): AggregateFold {
  const same = comparator(item);
  return {
    state: arrayOf(item),
    init: () => [],
    add: (acc, args) => {
      const value = itemOf(args);
      if (value !== null) insert(itemsOf(acc), value);
      return acc;
    },
    retract: (acc, args) => {
      const value = itemOf(args);
      const at = value === null ? -1 : itemsOf(acc).findLastIndex(v => same(v, value) === 0);
      if (at >= 0) itemsOf(acc).splice(at, 1);
      return acc;
    },
    merge: (a, b) => {
      const merged = [...itemsOf(a)];
      for (const value of itemsOf(b)) insert(merged, value);
      return merged;
    },
    result: acc => acc,
  };
}

function sizeOf(k: Value | null | undefined): number {
  const size = Number(k ?? 0);
  if (size >= 1) return size;
  throw new MillraceError('invalid_argument', `TOPK needs a size of at least 1, not ${k}`);
}

function orderedType(type: SqlType | undefined): SqlType {
  assert(type, 'TOPK has an argument');
  if (isOrdered(type)) return type;
  throw new MillraceError('type_mismatch', `values of ${typeText(type)} have no order, TOPK needs one`);
}

function structType(args: readonly SqlType[]): SqlType {
  const [first, ...rest] = args;
  const columns = rest.map((type, i) => ({ name: `col${i}`, type }));
  return structOf([{ name: 'sort_col', type: orderedType(first) }, ...columns]);
}

function topValues(type: SqlType | undefined, k: Value | null | undefined, distinct: boolean): AggregateFold {
  const item = orderedType(type);
  const compare = comparator(item);
  return topK({
    item,
    k: sizeOf(k),
    distinct,
    itemOf: ([value]) => value ?? null,
    compare: (a, b) => compare(b, a),
  });
}

function topRows(args: readonly SqlType[], k: Value | null | undefined): AggregateFold {
  const compare = nullable(comparator(orderedType(args[0])));
  const sortValue = (row: Value) => (row as readonly (Value | null)[])[0] ?? null;
  return topK({
    item: structType(args),
    k: sizeOf(k),
    distinct: false,
    itemOf: row => ((row[0] ?? null) === null ? null : [...row]),
    compare: (a, b) => compare(sortValue(b), sortValue(a)),
  });
}

export const TOPK: AggregateFunction = {
  kind: 'aggregate',
  name: 'TOPK',
  category: 'aggregate',
  description: 'The k largest values, largest first; with further columns STRUCTs of them.',
  overloads: [
    {
      signature: '(T, INT) -> ARRAY<T>',
      constants: 1,
      returns: ([type]) => arrayOf(orderedType(type)),
      make: ({ args: [type] }, [k]) => topValues(type, k, false),
    },
    {
      signature: '(T, ANY..., INT) -> ARRAY<T>',
      constants: 1,
      returns: args => arrayOf(structType(args)),
      make: ({ args }, [k]) => topRows(args, k),
    },
  ],
};

export const TOPKDISTINCT: AggregateFunction = {
  kind: 'aggregate',
  name: 'TOPKDISTINCT',
  category: 'aggregate',
  description: 'The k largest different values, largest first.',
  overloads: [
    {
      signature: '(T, INT) -> ARRAY<T>',
      constants: 1,
      returns: ([type]) => arrayOf(orderedType(type)),
      make: ({ args: [type] }, [k]) => topValues(type, k, true),
    },
  ],
};
