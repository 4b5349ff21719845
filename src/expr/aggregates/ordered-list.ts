import type { SqlType } from '../../core/sql-type.ts';
import { arrayOf, structOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { equality } from '../compare.ts';
import type { AggregateFold, AggregateFunction, ResolvedTypes } from '../functions.ts';
import { type OrderedColumn, rowComparator } from '../row-order.ts';

/**
 * STRING_AGG and ARRAY_AGG: the values of a group in an order. The state is the argument rows in that order, each the value
 * and what it is ordered by; rows that the order does not tell apart stand in sequence order, and of equal rows the last one
 * is taken away first. DISTINCT keeps all rows, since one that is taken away may leave its like behind.
 */
type Entry = readonly (Value | null)[];

interface ListOptions {
  /** of the value, then of what it is ordered by */
  readonly types: readonly SqlType[];
  readonly order: readonly OrderedColumn[];
  readonly distinct: boolean;
  /** NULL is no value */
  readonly skipNull: boolean;
  readonly result: (values: readonly (Value | null)[]) => Value;
}

function entriesOf(acc: Value | null): Entry[] {
  return acc as unknown as Entry[];
}

function orderedList({ types, order, distinct, skipNull, result }: ListOptions): AggregateFold {
  const compare = rowComparator(types, order);
  const equals = types.map(equality);
  const same = (a: Value | null, b: Value | null, i: number): boolean =>
    a === null || b === null ? a === b : (equals[i]?.(a, b) ?? false);
  /** Behind all rows that do not come after this one. */
  const placeOf = (entries: readonly Entry[], row: Entry): number => {
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(entries[middle] as Entry, row) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const put = (entries: Entry[], row: Entry): void => {
    const last = entries.at(-1);
    if (last === undefined || compare(last, row) <= 0) entries.push(row);
    else entries.splice(placeOf(entries, row), 0, row);
  };
  const skipped = (args: Entry): boolean => skipNull && (args[0] ?? null) === null;
  return {
    state: arrayOf(structOf(types.map((type, i) => ({ name: `C${i}`, type })))),
    init: () => [],
    add: (acc, args) => {
      if (!skipped(args)) put(entriesOf(acc), [...args]);
      return acc;
    },
    retract: (acc, args) => {
      if (skipped(args)) return acc;
      const entries = entriesOf(acc);
      for (let at = placeOf(entries, args) - 1; at >= 0; at--) {
        const entry = entries[at] as Entry;
        if (compare(entry, args) !== 0) break;
        if (!types.every((_, i) => same(entry[i] ?? null, args[i] ?? null, i))) continue;
        entries.splice(at, 1);
        break;
      }
      return acc;
    },
    merge: (a, b) => {
      const merged = [...entriesOf(a)];
      for (const entry of entriesOf(b)) put(merged, entry);
      return merged as Value;
    },
    result: acc => {
      const values = entriesOf(acc).map(entry => entry[0] ?? null);
      if (values.length === 0) return null;
      if (!distinct) return result(values);
      return result(values.filter((v, i) => i === 0 || !same(v, values[i - 1] ?? null, 0)));
    },
  };
}

/**
 * The order as one text, a plan's constant: per column `asc` or `desc` with `first` or `last` for NULLs, joined by commas;
 * `distinct` before it.
 */
export function orderText(order: readonly Omit<OrderedColumn, 'column'>[], distinct: boolean): string {
  const parts = order.map(o => `${o.descending ? 'desc' : 'asc'} ${o.nullsFirst ? 'first' : 'last'}`);
  return `${distinct ? 'distinct ' : ''}${parts.join(',')}`;
}

function orderOf(text: Value | null | undefined): Pick<ListOptions, 'order' | 'distinct'> {
  const words = String(text ?? '');
  const distinct = words.startsWith('distinct ');
  const parts = (distinct ? words.slice('distinct '.length) : words).split(',');
  const order = parts.map((part, i) => ({
    column: i + 1,
    descending: part.startsWith('desc'),
    nullsFirst: part.endsWith('first'),
  }));
  return { order, distinct };
}

function strings(
  { args }: ResolvedTypes,
  separator: Value | null | undefined,
  order: Pick<ListOptions, 'order' | 'distinct'>,
): AggregateFold {
  const between = String(separator ?? '');
  const result = (values: readonly (Value | null)[]) => values.join(between);
  return onlyRetracting(orderedList({ types: args, ...order, skipNull: true, result }));
}

function lists({ args }: ResolvedTypes, order: Pick<ListOptions, 'order' | 'distinct'>): AggregateFold {
  return onlyRetracting(
    orderedList({ types: args, ...order, skipNull: false, result: values => [...values] }),
  );
}

/** Views have it over changing rows, strict statements do not. */
function onlyRetracting(fold: AggregateFold): AggregateFold {
  return { ...fold, retract: undefined, retracting: fold };
}

const UNORDERED = { order: [], distinct: false } as const;

export const STRING_AGG: AggregateFunction = {
  kind: 'aggregate',
  name: 'STRING_AGG',
  category: 'aggregate',
  description:
    'All texts that are not NULL, joined by the separator; in a VIEW `STRING_AGG([DISTINCT] x, sep ORDER BY y)`. Without an order: as they came.',
  overloads: [
    {
      signature: '(STRING, STRING) -> STRING',
      constants: 1,
      make: (types, [separator]) => strings(types, separator, UNORDERED),
    },
  ],
};

export const STRING_AGG_BY: AggregateFunction = {
  kind: 'aggregate',
  name: 'STRING_AGG_BY',
  category: 'aggregate',
  description:
    'What `STRING_AGG(x, sep ORDER BY y)` means: the value, what it is ordered by, separator, order.',
  overloads: [
    {
      signature: '(STRING, ANY..., STRING, STRING) -> STRING',
      constants: 2,
      make: (types, [separator, order]) => strings(types, separator, orderOf(order)),
    },
  ],
};

export const ARRAY_AGG: AggregateFunction = {
  kind: 'aggregate',
  name: 'ARRAY_AGG',
  category: 'aggregate',
  description:
    'All values, NULLs too, as an ARRAY; in a VIEW `ARRAY_AGG([DISTINCT] x ORDER BY y)`. Without an order: as they came.',
  overloads: [{ signature: '(T) -> ARRAY<T>', make: types => lists(types, UNORDERED) }],
};

export const ARRAY_AGG_BY: AggregateFunction = {
  kind: 'aggregate',
  name: 'ARRAY_AGG_BY',
  category: 'aggregate',
  description: 'What `ARRAY_AGG(x ORDER BY y)` means: the value, what it is ordered by, order.',
  overloads: [
    {
      signature: '(T, ANY..., STRING) -> ARRAY<T>',
      constants: 1,
      make: (types, [order]) => lists(types, orderOf(order)),
    },
  ],
};
