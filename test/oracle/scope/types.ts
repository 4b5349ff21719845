import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  mapOf,
  type SqlType,
  STRING,
  structOf,
  TIME,
  TIMESTAMP,
} from '../../../src/core/sql-type.ts';

export const MONEY = decimal(10, 2);
export const WIDE = decimal(30, 4);
export const INTS = arrayOf(INT);
export const STRINGS = arrayOf(STRING);
export const COUNTS = mapOf(STRING, INT);
export const PAIR = structOf([
  { name: 'A', type: INT },
  { name: 'C', type: STRING },
]);

/** Those that order, and stand in keys. */
export const SCALARS: readonly SqlType[] = [
  INT,
  BIGINT,
  MONEY,
  DOUBLE,
  STRING,
  BOOLEAN,
  DATE,
  TIME,
  TIMESTAMP,
  BYTES,
  WIDE,
];

export const TYPES: readonly SqlType[] = [...SCALARS, INTS, STRINGS, COUNTS, PAIR];

/** Whether a value of one may stand where the other is wanted; of DECIMALs any. */
export function fits(have: SqlType, want: SqlType): boolean {
  if (have.kind !== want.kind) return false;
  if (have.kind === 'ARRAY' && want.kind === 'ARRAY') return fits(have.element, want.element);
  if (have.kind === 'MAP' && want.kind === 'MAP') {
    return fits(have.key, want.key) && fits(have.value, want.value);
  }
  if (have.kind === 'STRUCT' && want.kind === 'STRUCT') {
    return JSON.stringify(have.fields) === JSON.stringify(want.fields);
  }
  return true;
}
