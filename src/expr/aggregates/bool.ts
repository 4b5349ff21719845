import { arrayOf, BIGINT } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import type { AggregateFold, AggregateFunction } from '../functions.ts';

type Counts = readonly [trues: bigint, falses: bigint];

/** How many values are true and how many false: both can be taken away. */
function overBooleans(finish: (trues: bigint, falses: bigint) => boolean): AggregateFold {
  const change = (acc: Value | null, value: Value | null | undefined, by: bigint): Value => {
    const [trues, falses] = acc as unknown as Counts;
    if (value === null || value === undefined) return [trues, falses];
    return value === true ? [trues + by, falses] : [trues, falses + by];
  };
  return {
    state: arrayOf(BIGINT),
    init: () => [0n, 0n],
    add: (acc, [value]) => change(acc, value, 1n),
    retract: (acc, [value]) => change(acc, value, -1n),
    merge: (a, b) => {
      const [x, y] = [a as unknown as Counts, b as unknown as Counts];
      return [x[0] + y[0], x[1] + y[1]];
    },
    result: acc => {
      const [trues, falses] = acc as unknown as Counts;
      return trues + falses === 0n ? null : finish(trues, falses);
    },
  };
}

const boolean = (
  name: string,
  description: string,
  finish: (trues: bigint, falses: bigint) => boolean,
): AggregateFunction => ({
  kind: 'aggregate',
  name,
  ...(name === 'BOOL_AND' ? { aliases: ['EVERY'] } : {}),
  category: 'aggregate',
  description,
  overloads: [{ signature: '(BOOLEAN) -> BOOLEAN', make: () => overBooleans(finish) }],
});

export const BOOL_AND: AggregateFunction = boolean(
  'BOOL_AND',
  'Whether all values that are not NULL are true; NULL when there is none.',
  (_, falses) => falses === 0n,
);

export const BOOL_OR: AggregateFunction = boolean(
  'BOOL_OR',
  'Whether any value is true; NULL when there is none that is not NULL.',
  trues => trues > 0n,
);
