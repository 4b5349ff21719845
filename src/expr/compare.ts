import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';

/** Negative, 0 or positive; a total order of the values of one type. */
export type Comparator = (a: Value, b: Value) => number;

/**
 * The order of values of a type, for `<`, MIN, MAX, sorting and ordered state. It is total and equal to no other than
 * {@link equality}: strings by code point, bytes unsigned, false before true, -0 equal to 0, NaN equal to itself and above all
 * (as PostgreSQL), structured values element by element with NULL last, maps by their entries in key order.
 */
export function comparator(type: SqlType): Comparator {
  switch (type.kind) {
    case 'BIGINT':
    case 'DECIMAL':
      return (a, b) => ((a as bigint) < (b as bigint) ? -1 : (a as bigint) > (b as bigint) ? 1 : 0);
    case 'INT':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
      return (a, b) => (a as number) - (b as number);
    case 'DOUBLE':
      return (a, b) => compareDoubles(a as number, b as number);
    case 'BOOLEAN':
      return (a, b) => Number(a) - Number(b);
    case 'STRING':
      return (a, b) => compareText(a as string, b as string);
    case 'BYTES':
      return (a, b) => compareBytes(a as Uint8Array, b as Uint8Array);
    case 'ARRAY':
      return compareLists(() => nullable(comparator(type.element)));
    case 'STRUCT': {
      const fields = type.fields.map(f => nullable(comparator(f.type)));
      return compareLists(i => fields[i] ?? (() => 0));
    }
    case 'MAP':
      return compareMaps(comparator(type.key), nullable(comparator(type.value)));
  }
}

export type NullableComparator = (a: Value | null, b: Value | null) => number;

/** NULL after everything and equal to itself. */
export function nullable(compare: Comparator): NullableComparator {
  return (a, b) => {
    if (a === null) return b === null ? 0 : 1;
    return b === null ? -1 : compare(a, b);
  };
}

/** Whether two values are written the same: as {@link equality}, but 0 is not -0. */
export function sameness(type: SqlType): (a: Value, b: Value) => boolean {
  return type.kind === 'DOUBLE' ? Object.is : equality(type);
}

/** Whether two values of a type are the same value; NULLs inside structured values are equal to each other. */
export function equality(type: SqlType): (a: Value, b: Value) => boolean {
  switch (type.kind) {
    case 'BIGINT':
    case 'DECIMAL':
    case 'INT':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
    case 'BOOLEAN':
    case 'STRING':
      return (a, b) => a === b;
    default: {
      const compare = comparator(type);
      return (a, b) => compare(a, b) === 0;
    }
  }
}

function compareDoubles(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/**
 * By code point. UTF-16 units agree with it but for surrogates, which must come after U+E000..U+FFFF.
 */
export function compareText(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return afterSurrogates(x) - afterSurrogates(y);
  }
  return a.length - b.length;
}

function afterSurrogates(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

type List = readonly (Value | null)[];

function compareLists(element: (i: number) => NullableComparator): Comparator {
  const first = element(0);
  return (a, b) => {
    const x = a as List;
    const y = b as List;
    const n = Math.min(x.length, y.length);
    for (let i = 0; i < n; i++) {
      const order = (i === 0 ? first : element(i))(x[i] ?? null, y[i] ?? null);
      if (order !== 0) return order;
    }
    return x.length - y.length;
  };
}

function compareMaps(key: Comparator, value: NullableComparator): Comparator {
  const sorted = (map: Value) => [...(map as ReadonlyMap<Value, Value | null>)].sort(([a], [b]) => key(a, b));
  return (a, b) => {
    const x = sorted(a);
    const y = sorted(b);
    const n = Math.min(x.length, y.length);
    for (let i = 0; i < n; i++) {
      const [xKey, xValue] = x[i] ?? [0, null];
      const [yKey, yValue] = y[i] ?? [0, null];
      const order = key(xKey, yKey) || value(xValue, yValue);
      if (order !== 0) return order;
    }
    return x.length - y.length;
  };
}
