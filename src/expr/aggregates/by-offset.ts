import { MillraceError } from '../../core/errors.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { arrayOf, BIGINT, structOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { comparator, nullable } from '../compare.ts';
import type { AggregateFold, AggregateFunction, AggregateOverload } from '../functions.ts';

/**
 * EARLIEST_BY_OFFSET and LATEST_BY_OFFSET: the first or last value, or the N first or last ones, by sequence; NULLs are
 * ignored unless `ignoreNulls` is false. The state keeps the sequence of each value, so that merged sessions agree with
 * the log. Over changing rows all values are kept; a row taken away is the last one of its value.
 */
type Seen = [seq: bigint, value: Value | null];

interface Options {
  readonly type: SqlType;
  readonly latest: boolean;
  readonly count: number;
  readonly ignoreNulls: boolean;
  /** N values as an array, or the only one itself */
  readonly many: boolean;
}

function seenOf(acc: Value | null): Seen[] {
  return acc as unknown as Seen[];
}

function byOffset(options: Options): AggregateFold {
  const { type, latest, count, ignoreNulls, many } = options;
  const state = arrayOf(
    structOf([
      { name: 'SEQ', type: BIGINT },
      { name: 'V', type },
    ]),
  );
  const counts = (value: Value | null) => !(ignoreNulls && value === null);
  const keep = (seen: readonly Seen[]) =>
    latest ? seen.slice(Math.max(0, seen.length - count)) : seen.slice(0, count);
  const merged = (a: Value | null, b: Value | null) =>
    // stable: of equal sequences those of the earlier accumulator stay first
    [...seenOf(a), ...seenOf(b)].sort((x, y) => (x[0] < y[0] ? -1 : x[0] > y[0] ? 1 : 0));
  const result = (seen: readonly Seen[]): Value | null => {
    const values = keep(seen).map(([, value]) => value);
    return many ? values : (values[0] ?? null);
  };
  const same = nullable(comparator(type));
  return {
    state,
    init: () => [],
    add: (acc, [value], ctx) => {
      const seen = seenOf(acc);
      if (!counts(value ?? null) || (!latest && seen.length >= count)) return acc;
      seen.push([BigInt(ctx.seq), value ?? null]);
      if (seen.length > count) seen.shift();
      return acc;
    },
    merge: (a, b) => keep(merged(a, b)) as Value,
    result: acc => result(seenOf(acc)),
    retracting: {
      state,
      init: () => [],
      add: (acc, [value], ctx) => {
        if (counts(value ?? null)) seenOf(acc).push([BigInt(ctx.seq), value ?? null]);
        return acc;
      },
      retract: (acc, [value]) => {
        const at = seenOf(acc).findLastIndex(([, v]) => same(v, value ?? null) === 0);
        if (at >= 0) seenOf(acc).splice(at, 1);
        return acc;
      },
      merge: (a, b) => merged(a, b) as Value,
      result: acc => result(seenOf(acc)),
    },
  };
}

function positive(n: Value | null | undefined, fn: string): number {
  const count = Number(n ?? 0);
  if (count >= 1) return count;
  throw new MillraceError('invalid_argument', `${fn} needs a count of at least 1, not ${n}`);
}

function overloads(name: string, latest: boolean): readonly AggregateOverload[] {
  return [
    {
      signature: '(T) -> T',
      make: ({ returns: type }) => byOffset({ type, latest, count: 1, ignoreNulls: true, many: false }),
    },
    {
      signature: '(T, BOOLEAN) -> T',
      constants: 1,
      make: ({ returns: type }, [ignoreNulls]) =>
        byOffset({ type, latest, count: 1, ignoreNulls: ignoreNulls !== false, many: false }),
    },
    {
      signature: '(T, INT) -> ARRAY<T>',
      constants: 1,
      make: ({ returns }, [n]) =>
        byOffset({
          type: elementOf(returns),
          latest,
          count: positive(n, name),
          ignoreNulls: true,
          many: true,
        }),
    },
    {
      signature: '(T, INT, BOOLEAN) -> ARRAY<T>',
      constants: 2,
      make: ({ returns }, [n, ignoreNulls]) =>
        byOffset({
          type: elementOf(returns),
          latest,
          count: positive(n, name),
          ignoreNulls: ignoreNulls !== false,
          many: true,
        }),
    },
  ];
}

function elementOf(type: SqlType): SqlType {
  return type.kind === 'ARRAY' ? type.element : type;
}

export const EARLIEST_BY_OFFSET: AggregateFunction = {
  kind: 'aggregate',
  name: 'EARLIEST_BY_OFFSET',
  category: 'aggregate',
  description:
    'The first value, or the first N, by sequence; NULLs are ignored unless the last argument is false.',
  overloads: overloads('EARLIEST_BY_OFFSET', false),
};

export const LATEST_BY_OFFSET: AggregateFunction = {
  kind: 'aggregate',
  name: 'LATEST_BY_OFFSET',
  category: 'aggregate',
  description:
    'The last value, or the last N, by sequence; NULLs are ignored unless the last argument is false.',
  overloads: overloads('LATEST_BY_OFFSET', true),
};
