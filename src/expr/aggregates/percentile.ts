import { assert } from '../../core/assert.ts';
import { MillraceError } from '../../core/errors.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { arrayOf, decimal } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { comparator, nullable } from '../compare.ts';
import { divideHalfUp, rescale } from '../decimal.ts';
import type { AggregateFold, AggregateFunction, AggregateOverload } from '../functions.ts';
import { countSorted, entriesOf, multisetOf } from './multiset.ts';

/**
 * Aggregates of an ordered group, `... WITHIN GROUP (ORDER BY x [DESC])`: the state is all values that are not NULL in
 * ascending order. PERCENTILE_CONT lies between two of them (exactly, of DECIMALs), PERCENTILE_DISC is one of them: the
 * first of which so large a part of the group stands at or before it.
 */
function sortedValues(
  type: SqlType,
  descending: boolean,
  result: (values: readonly Value[]) => Value,
): AggregateFold {
  const compare = comparator(type);
  const valuesOf = (acc: Value | null) => acc as unknown as Value[];
  /** The first place where the value may stand. */
  const placeOf = (values: readonly Value[], value: Value): number => {
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(values[middle] as Value, value) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const fold: AggregateFold = {
    state: arrayOf(type),
    init: () => [],
    add: (acc, [value]) => {
      if (value !== null && value !== undefined)
        valuesOf(acc).splice(placeOf(valuesOf(acc), value), 0, value);
      return acc;
    },
    retract: (acc, [value]) => {
      if (value === null || value === undefined) return acc;
      const values = valuesOf(acc);
      const at = placeOf(values, value);
      if (at < values.length && compare(values[at] as Value, value) === 0) values.splice(at, 1);
      return acc;
    },
    merge: (a, b) => [...valuesOf(a), ...valuesOf(b)].sort(compare),
    result: acc => {
      const values = valuesOf(acc);
      if (values.length === 0) return null;
      return result(descending ? values.toReversed() : values);
    },
  };
  return { ...fold, retract: undefined, retracting: fold };
}

function fractionOf(value: Value | null | undefined, fn: string): number {
  const fraction = value as number;
  if (fraction >= 0 && fraction <= 1) return fraction;
  throw new MillraceError('invalid_argument', `${fn} needs a part from 0 to 1, not ${String(value)}`);
}

/** Between the values around it, as PostgreSQL computes it. */
function betweenDoubles(fraction: number) {
  return (values: readonly Value[]): Value => {
    const position = fraction * (values.length - 1);
    const below = Math.floor(position);
    const low = values[below] as number;
    const high = values[Math.ceil(position)] as number;
    return low === high ? low : low + (position - below) * (high - low);
  };
}

/** The fraction as a quotient of whole numbers, as it was written. */
function quotientOf(fraction: number): readonly [numerator: bigint, denominator: bigint] {
  const [mantissa = '0', exponent = '0'] = String(fraction).split('e');
  const [whole = '0', digits = ''] = mantissa.split('.');
  return [BigInt(whole + digits), 10n ** BigInt(digits.length - Number(exponent))];
}

function betweenDecimals(fraction: number, from: number, to: number) {
  const [numerator, denominator] = quotientOf(fraction);
  return (values: readonly Value[]): Value => {
    const position = numerator * BigInt(values.length - 1);
    const below = Number(position / denominator);
    const low = rescale(values[below] as bigint, from, to);
    const rest = position % denominator;
    if (rest === 0n) return low;
    const high = rescale(values[below + 1] as bigint, from, to);
    return divideHalfUp(low * denominator + (high - low) * rest, denominator);
  };
}

function oneOf(fraction: number) {
  return (values: readonly Value[]): Value =>
    values[Math.max(0, Math.ceil(fraction * values.length) - 1)] as Value;
}

function scaleOf(type: SqlType | undefined): number {
  return type?.kind === 'DECIMAL' ? type.scale : 0;
}

/** The signatures of the call as it is resolved: the value, the part, whether the order is descending. */
export const PERCENTILE_CONT: AggregateFunction = {
  kind: 'aggregate',
  name: 'PERCENTILE_CONT',
  category: 'aggregate',
  description:
    'The value at this part (0 to 1) of the ordered group, between two values where there is none: `PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY x)`.',
  overloads: [
    {
      signature: '(DOUBLE, DOUBLE, BOOLEAN) -> DOUBLE',
      constants: 2,
      make: ({ returns }, [fraction, descending]) =>
        sortedValues(returns, descending === true, betweenDoubles(fractionOf(fraction, 'PERCENTILE_CONT'))),
    },
    {
      signature: '(DECIMAL, DOUBLE, BOOLEAN) -> DECIMAL',
      constants: 2,
      returns: ([type]) => decimal(38, Math.max(scaleOf(type), 6)),
      make: ({ args: [type], returns }, [fraction, descending]) => {
        assert(type, 'PERCENTILE_CONT has an argument');
        const part = fractionOf(fraction, 'PERCENTILE_CONT');
        return sortedValues(
          type,
          descending === true,
          betweenDecimals(part, scaleOf(type), scaleOf(returns)),
        );
      },
    },
  ],
};

const ORDERED = ['INT', 'BIGINT', 'DECIMAL', 'DOUBLE', 'STRING', 'BYTES', 'DATE', 'TIME', 'TIMESTAMP'];

export const PERCENTILE_DISC: AggregateFunction = {
  kind: 'aggregate',
  name: 'PERCENTILE_DISC',
  category: 'aggregate',
  description:
    'The first value of the ordered group that has this part (0 to 1) of it at or before itself: `PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY x)`.',
  overloads: ORDERED.map(
    (type): AggregateOverload => ({
      signature: `(${type}, DOUBLE, BOOLEAN) -> ${type}`,
      constants: 2,
      make: ({ returns }, [fraction, descending]) =>
        sortedValues(returns, descending === true, oneOf(fractionOf(fraction, 'PERCENTILE_DISC'))),
    }),
  ),
};

export const MEDIAN: AggregateFunction = {
  kind: 'aggregate',
  name: 'MEDIAN',
  category: 'aggregate',
  description: 'The value in the middle of the group, as PERCENTILE_CONT(0.5).',
  overloads: [
    {
      signature: '(DOUBLE) -> DOUBLE',
      make: ({ returns }) => sortedValues(returns, false, betweenDoubles(0.5)),
    },
    {
      signature: '(DECIMAL) -> DECIMAL',
      returns: ([type]) => decimal(38, Math.max(scaleOf(type), 6)),
      make: ({ args: [type], returns }) => {
        assert(type, 'MEDIAN has an argument');
        return sortedValues(type, false, betweenDecimals(0.5, scaleOf(type), scaleOf(returns)));
      },
    },
  ],
};

/** The value that is there most often; of several the first in the order. */
function mode(type: SqlType, descending: boolean): AggregateFold {
  const compare = nullable(comparator(type));
  const change = (acc: Value | null, value: Value | null | undefined, count: 1n | -1n) => {
    if (value !== null && value !== undefined) countSorted(entriesOf(acc), value, { count, compare });
    return acc;
  };
  const fold: AggregateFold = {
    state: multisetOf(type),
    init: () => [],
    add: (acc, [value]) => change(acc, value, 1n),
    retract: (acc, [value]) => change(acc, value, -1n),
    merge: (a, b) => {
      const merged = entriesOf(a).map(([v, n]): [Value | null, bigint] => [v, n]);
      for (const [v, n] of entriesOf(b)) countSorted(merged, v, { count: n, compare });
      return merged as Value;
    },
    result: acc => {
      let best: [Value | null, bigint] | null = null;
      for (const entry of entriesOf(acc)) {
        if (best === null || entry[1] > best[1] || (descending && entry[1] === best[1])) best = entry;
      }
      return best?.[0] ?? null;
    },
  };
  return { ...fold, retract: undefined, retracting: fold };
}

export const MODE: AggregateFunction = {
  kind: 'aggregate',
  name: 'MODE',
  category: 'aggregate',
  description:
    'The value that is there most often, of several the first in the order: `MODE() WITHIN GROUP (ORDER BY x)`.',
  overloads: ORDERED.map(
    (type): AggregateOverload => ({
      signature: `(${type}, BOOLEAN) -> ${type}`,
      constants: 1,
      make: ({ returns }, [descending]) => mode(returns, descending === true),
    }),
  ),
};
