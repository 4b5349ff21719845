import type { SqlType } from '../../core/sql-type.ts';
import { arrayOf, STRING, structOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { compareText } from '../compare.ts';
import type { ScalarFunction } from '../functions.ts';
import { nullable, overload, scalar } from './define.ts';
import { MAX_ITEMS } from './limits.ts';

const category = 'MAP';
type Items = readonly (Value | null)[];
type Entries = ReadonlyMap<Value, Value | null>;

export const mapFunctions: readonly ScalarFunction[] = [
  scalar(
    {
      name: 'AS_MAP',
      category,
      description: 'A MAP from an array of keys and one of values; keys without a value get NULL.',
    },
    overload<[Items, Items]>('(ARRAY<STRING>, ARRAY<T>) -> MAP<STRING, T>', ([keys, values], ctx) => {
      const map = new Map<Value, Value | null>();
      for (const [i, key] of keys.entries()) {
        if (key === null) return ctx.fail('AS_MAP: a key is NULL');
        map.set(key, values[i] ?? null);
      }
      return map;
    }),
  ),
  scalar(
    {
      name: 'ENTRIES',
      category,
      description:
        'The entries of a map as an array of STRUCT<K, V>, sorted by key when the second argument is true.',
    },
    overload<[Entries, boolean]>(
      '(MAP<STRING, T>, BOOLEAN) -> ARRAY<STRUCT>',
      ([map, sort]) => {
        const entries: readonly (readonly [Value, Value | null])[] = [...map];
        return sort ? entries.toSorted(([a], [b]) => compareText(a as string, b as string)) : entries;
      },
      { returns: ([map]) => arrayOf(entryType(map)) },
    ),
  ),
  scalar(
    { name: 'MAP_KEYS', category, description: 'The keys of a map as an array.' },
    overload<[Entries]>('(MAP<K, V>) -> ARRAY<K>', ([map]) => [...map.keys()]),
  ),
  scalar(
    {
      name: 'MAP_VALUES',
      category,
      description: 'The values of a map as an array, in the order of MAP_KEYS.',
    },
    overload<[Entries]>('(MAP<K, V>) -> ARRAY<V>', ([map]) => [...map.values()]),
  ),
  scalar(
    {
      name: 'MAP_UNION',
      category,
      description: 'The entries of both maps, those of the second winning; where one is NULL the other one.',
    },
    nullable<[Entries | null, Entries | null]>('(MAP<K, V>, MAP<K, V>) -> MAP<K, V>', ([a, b], ctx) => {
      if (a === null || b === null) return a ?? b;
      const map = new Map([...a, ...b]);
      return map.size > MAX_ITEMS ? ctx.fail(`MAP_UNION: more than ${MAX_ITEMS} entries`) : map;
    }),
  ),
];

function entryType(map: SqlType | undefined): SqlType {
  return structOf([
    { name: 'K', type: STRING },
    { name: 'V', type: map?.kind === 'MAP' ? map.value : STRING },
  ]);
}
