/**
 * One SQL value outside a column, by type:
 *
 * | type | JavaScript |
 * |---|---|
 * | BOOLEAN | boolean |
 * | INT, DOUBLE | number |
 * | BIGINT | bigint |
 * | DECIMAL(p, s) | bigint: the unscaled integer; the scale stands in the type (12.50 with s = 2 is 1250n) |
 * | STRING | string |
 * | BYTES | Uint8Array |
 * | DATE | number: days since 1970-01-01 |
 * | TIME | number: milliseconds since midnight |
 * | TIMESTAMP | number: milliseconds since the epoch |
 * | ARRAY | array of values or null |
 * | MAP | Map in insertion order; never key by anything but a primitive |
 * | STRUCT | array of field values in the type's field order |
 *
 * SQL NULL is `null` and is not a Value; write `Value | null`. Values are never mutated once made.
 */
export type Value =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly (Value | null)[]
  | ReadonlyMap<Value, Value | null>;

export type Row = readonly (Value | null)[];
