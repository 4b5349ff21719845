import { MillraceError } from '../../core/errors.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { typeText } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { comparator, equality } from '../compare.ts';
import type { ResolvedTypes, ScalarFunction, ScalarOverload } from '../functions.ts';
import { valueKey } from '../value-key.ts';
import { valueText } from '../value-text.ts';
import { nullable, overload, scalar, typed } from './define.ts';
import { MAX_ITEMS, MAX_LENGTH } from './limits.ts';
import { series } from './series.ts';

const category = 'ARRAY';
type Items = readonly (Value | null)[];

export const arrayFunctions: readonly ScalarFunction[] = [
  scalar(
    {
      name: 'ARRAY_CONCAT',
      category,
      description: 'The elements of both arrays; where one is NULL the other one.',
    },
    nullable<[Items | null, Items | null]>('(ARRAY<T>, ARRAY<T>) -> ARRAY<T>', ([a, b], ctx) => {
      if (a === null || b === null) return a ?? b;
      return a.length + b.length > MAX_ITEMS
        ? ctx.fail(`ARRAY_CONCAT: more than ${MAX_ITEMS} elements`)
        : [...a, ...b];
    }),
  ),
  scalar(
    {
      name: 'ARRAY_CONTAINS',
      category,
      description: 'Whether the array has this element, which may be NULL; false when the array is NULL.',
    },
    typed<[Items | null, Value | null]>(
      '(ARRAY<T>, T) -> BOOLEAN',
      types => {
        const same = equality(elementType(types));
        return ([items, value]) => items?.some(sameAs(value, same)) ?? false;
      },
      { nulls: 'called' },
    ),
  ),
  scalar(
    {
      name: 'ARRAY_DISTINCT',
      category,
      description: 'The different elements in the order of their first occurrence; NULL counts as one.',
    },
    typed<[Items]>('(ARRAY<T>) -> ARRAY<T>', types => {
      const key = valueKey(elementType(types));
      return ([items]) => distinct(items, key);
    }),
  ),
  setFunction(
    'ARRAY_UNION',
    'The different elements of both arrays, those of the first one first.',
    (a, b, key) => distinct([...a, ...b], key),
  ),
  setFunction(
    'ARRAY_INTERSECT',
    'The different elements of the first array that the second one has too.',
    (a, b, key) => {
      const kept = new Set(b.map(key));
      return distinct(a, key).filter(v => kept.has(key(v)));
    },
  ),
  setFunction(
    'ARRAY_EXCEPT',
    'The different elements of the first array that the second one does not have.',
    (a, b, key) => {
      const dropped = new Set(b.map(key));
      return distinct(a, key).filter(v => !dropped.has(key(v)));
    },
  ),
  scalar(
    {
      name: 'ARRAY_JOIN',
      category,
      description:
        'The elements as text, with a delimiter between them (a comma unless given); NULL elements read null.',
    },
    joined('(ARRAY<T>) -> STRING'),
    joined('(ARRAY<T>, STRING) -> STRING'),
  ),
  scalar(
    { name: 'ARRAY_LENGTH', category, description: 'The number of elements.' },
    overload<[Items]>('(ARRAY<T>) -> INT', ([items]) => items.length),
  ),
  extreme('ARRAY_MAX', 'The largest element, leaving out NULLs; NULL when there is none.', 1),
  extreme('ARRAY_MIN', 'The smallest element, leaving out NULLs; NULL when there is none.', -1),
  scalar(
    {
      name: 'ARRAY_REMOVE',
      category,
      description: 'The array without the elements equal to a value, which may be NULL.',
    },
    typed<[Items | null, Value | null]>(
      '(ARRAY<T>, T) -> ARRAY<T>',
      types => {
        const same = equality(elementType(types));
        return ([items, value]) => {
          const equal = sameAs(value, same);
          return items?.filter(v => !equal(v)) ?? null;
        };
      },
      { nulls: 'called' },
    ),
  ),
  scalar(
    {
      name: 'ARRAY_SORT',
      category,
      description: "The elements in ascending order, or with 'DESC' in descending order; NULLs stand last.",
    },
    typed<[Items]>(
      '(ARRAY<T>) -> ARRAY<T>',
      types => {
        const compare = comparator(elementType(types));
        return ([items]) => sorted(items, compare);
      },
      { returns: args => sortable('ARRAY_SORT', args) },
    ),
    typed<[Items, string]>(
      '(ARRAY<T>, STRING) -> ARRAY<T>',
      types => {
        const compare = comparator(elementType(types));
        return ([items, direction], ctx) => {
          const name = direction.toUpperCase();
          if (name === 'ASC' || name === 'ASCENDING') return sorted(items, compare);
          if (name === 'DESC' || name === 'DESCENDING') return sorted(items, (a, b) => compare(b, a));
          return ctx.fail('ARRAY_SORT: the direction is ASC or DESC');
        };
      },
      { returns: args => sortable('ARRAY_SORT', args) },
    ),
  ),
  scalar(
    {
      name: 'SLICE',
      category,
      description:
        'The elements from one position to another, both counted from 1 and included; NULL when out of range.',
    },
    nullable<[Items | null, number | null, number | null]>(
      '(ARRAY<T>, INT, INT) -> ARRAY<T>',
      ([items, from, to]) => {
        if (items === null) return null;
        const start = from === null ? 0 : from - 1;
        const end = to ?? items.length;
        return start < 0 || end > items.length || start > end ? null : items.slice(start, end);
      },
    ),
  ),
  scalar(
    {
      name: 'GENERATE_SERIES',
      category,
      description: 'The numbers from one to another, both included, by a step of 1 or as given.',
    },
    ...seriesOverloads(),
  ),
];

function elementType({ args: [array] }: ResolvedTypes): SqlType {
  return array?.kind === 'ARRAY' ? array.element : { kind: 'STRING' };
}

function sameAs(value: Value | null, same: (a: Value, b: Value) => boolean): (v: Value | null) => boolean {
  return v => (v === null || value === null ? v === value : same(v, value));
}

function distinct(items: Items, key: (v: Value | null) => string): Items {
  const seen = new Set<string>();
  return items.filter(v => {
    const text = key(v);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

function setFunction(
  name: string,
  description: string,
  run: (a: Items, b: Items, key: (v: Value | null) => string) => Items,
): ScalarFunction {
  return scalar(
    { name, category, description },
    typed<[Items, Items]>('(ARRAY<T>, ARRAY<T>) -> ARRAY<T>', types => {
      const key = valueKey(elementType(types));
      return ([a, b], ctx) => {
        const result = run(a, b, key);
        return result.length > MAX_ITEMS ? ctx.fail(`${name}: more than ${MAX_ITEMS} elements`) : result;
      };
    }),
  );
}

function joined(signature: string): ScalarOverload {
  return typed<[Items | null, string | null | undefined]>(
    signature,
    types => {
      const element = elementType(types);
      const text = valueText(element);
      return ([items, delimiter = ','], ctx) => {
        if (items === null) return null;
        if (isNested(element))
          return ctx.fail(`ARRAY_JOIN: elements of ${typeText(element)} cannot be joined`);
        const result = items.map(v => (v === null ? 'null' : text(v))).join(delimiter ?? '');
        return result.length > MAX_LENGTH ? ctx.fail('ARRAY_JOIN: the result is too long') : result;
      };
    },
    { nulls: 'called' },
  );
}

function isNested(type: SqlType): boolean {
  return type.kind === 'ARRAY' || type.kind === 'MAP' || type.kind === 'STRUCT';
}

/** The type of the array itself. Elements without an order are refused when the query is resolved. */
function sortable(name: string, [array]: readonly SqlType[]): SqlType {
  if (array?.kind !== 'ARRAY' || isNested(array.element)) {
    throw new MillraceError('type_mismatch', `${name} does not take ${array ? typeText(array) : 'nothing'}`, {
      hint: 'the elements must be of a simple type',
    });
  }
  return array;
}

function extreme(name: string, description: string, sign: 1 | -1): ScalarFunction {
  return scalar(
    { name, category, description },
    typed<[Items]>(
      '(ARRAY<T>) -> T',
      types => {
        const compare = comparator(elementType(types));
        return ([items]) => {
          let best: Value | null = null;
          for (const value of items) {
            if (value !== null && (best === null || compare(value, best) * sign > 0)) best = value;
          }
          return best;
        };
      },
      {
        returns: args => {
          const array = sortable(name, args);
          return array.kind === 'ARRAY' ? array.element : array;
        },
      },
    ),
  );
}

function sorted(items: Items, compare: (a: Value, b: Value) => number): Items {
  const present = items.filter(v => v !== null).sort(compare);
  return [...present, ...Array<null>(items.length - present.length).fill(null)];
}

function seriesOverloads(): ScalarOverload[] {
  return [
    overload<[number, number]>('(INT, INT) -> ARRAY<INT>', ([from, to], ctx) => series(from, to, null, ctx)),
    overload<[bigint, bigint]>('(BIGINT, BIGINT) -> ARRAY<BIGINT>', ([from, to], ctx) =>
      series(from, to, null, ctx),
    ),
    overload<[number, number, number]>('(INT, INT, INT) -> ARRAY<INT>', ([from, to, step], ctx) =>
      series(from, to, step, ctx),
    ),
    overload<[bigint, bigint, number]>('(BIGINT, BIGINT, INT) -> ARRAY<BIGINT>', ([from, to, step], ctx) =>
      series(from, to, step, ctx),
    ),
  ];
}
