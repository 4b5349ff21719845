import type { Value } from '../../core/value.ts';
import type { Lambda, ScalarFunction } from '../functions.ts';
import { nullable, overload, scalar } from './define.ts';

const category = 'LAMBDA';
type Items = readonly (Value | null)[];
type Entries = ReadonlyMap<Value, Value | null>;

export const lambdaFunctions: readonly ScalarFunction[] = [
  scalar(
    {
      name: 'FILTER',
      category,
      description: 'The elements of an array, or the entries of a map, for which the lambda is true.',
    },
    overload<[Items, Lambda]>('(ARRAY<T>, (T) => BOOLEAN) -> ARRAY<T>', ([items, keep]) =>
      items.filter(v => keep(v) === true),
    ),
    overload<[Entries, Lambda]>(
      '(MAP<K, V>, (K, V) => BOOLEAN) -> MAP<K, V>',
      ([map, keep]) => new Map([...map].filter(([k, v]) => keep(k, v) === true)),
    ),
  ),
  scalar(
    {
      name: 'TRANSFORM',
      category,
      description: 'Every element of an array, or every key and value of a map, put through a lambda.',
    },
    overload<[Items, Lambda]>('(ARRAY<T>, (T) => R) -> ARRAY<R>', ([items, change]) =>
      items.map(v => change(v)),
    ),
    overload<[Entries, Lambda, Lambda]>(
      '(MAP<K, V>, (K, V) => R, (K, V) => S) -> MAP<R, S>',
      ([map, changeKey, changeValue], ctx) => {
        const result = new Map<Value, Value | null>();
        for (const [k, v] of map) {
          const key = changeKey(k, v);
          if (key === null) return ctx.fail('TRANSFORM: a key became NULL');
          if (result.has(key)) return ctx.fail('TRANSFORM: two entries got the same key');
          result.set(key, changeValue(k, v));
        }
        return result;
      },
    ),
  ),
  scalar(
    {
      name: 'REDUCE',
      category,
      description:
        'Folds an array or a map into one value, from an initial one; NULL when that is NULL, and just that when the collection is NULL.',
    },
    nullable<[Items | null, Value | null, Lambda]>(
      '(ARRAY<T>, S, (S, T) => S) -> S',
      ([items, initial, step]) => {
        if (initial === null || items === null) return initial;
        return items.reduce<Value | null>((state, v) => step(state, v), initial);
      },
    ),
    nullable<[Entries | null, Value | null, Lambda]>(
      '(MAP<K, V>, S, (S, K, V) => S) -> S',
      ([map, initial, step]) => {
        if (initial === null || map === null) return initial;
        let state: Value | null = initial;
        for (const [k, v] of map) state = step(state, k, v);
        return state;
      },
    ),
  ),
];
