import { BIGINT, mapOf, STRING } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import type { AggregateFold, AggregateFunction } from '../functions.ts';
import { rowKey } from '../value-key.ts';

const count: AggregateFold = {
  state: BIGINT,
  init: () => 0n,
  add: (acc, args) => (args.includes(null) ? acc : (acc as bigint) + 1n),
  retract: (acc, args) => (args.includes(null) ? acc : (acc as bigint) - 1n),
  merge: (a, b) => (a as bigint) + (b as bigint),
  result: acc => acc,
};

export const COUNT: AggregateFunction = {
  kind: 'aggregate',
  name: 'COUNT',
  category: 'aggregate',
  description: 'The number of rows; with arguments, of rows in which none of them is NULL.',
  overloads: [
    { signature: '() -> BIGINT', make: () => count },
    { signature: '(ANY...) -> BIGINT', make: () => count },
  ],
};

type Counts = Map<string, bigint>;

/** How often each value is there, by its key text. */
function distinctCount(key: (args: readonly (Value | null)[]) => string): AggregateFold {
  const bump = (counts: Counts, text: string, by: bigint) => {
    const n = (counts.get(text) ?? 0n) + by;
    if (n > 0n) counts.set(text, n);
    else counts.delete(text);
  };
  const change = (acc: Value | null, args: readonly (Value | null)[], by: bigint) => {
    if (!args.includes(null)) bump(acc as unknown as Counts, key(args), by);
    return acc;
  };
  const append: AggregateFold = {
    state: mapOf(STRING, BIGINT),
    init: () => new Map(),
    add: (acc, args) => change(acc, args, 1n),
    merge: (a, b) => {
      const counts = new Map(a as unknown as Counts);
      for (const [text, n] of b as unknown as Counts) bump(counts, text, n);
      return counts;
    },
    result: acc => BigInt((acc as unknown as Counts).size),
  };
  return {
    ...append,
    retracting: { ...append, retract: (acc, args) => change(acc, args, -1n) },
  };
}

export const COUNT_DISTINCT: AggregateFunction = {
  kind: 'aggregate',
  name: 'COUNT_DISTINCT',
  category: 'aggregate',
  description: 'The exact number of different values that are not NULL.',
  overloads: [{ signature: '(ANY...) -> BIGINT', make: ({ args }) => distinctCount(rowKey(args)) }],
};
