import type { SqlType } from '../core/sql-type.ts';
import type { Row } from '../core/value.ts';
import { encodeKey, keyAfterPrefix } from '../kv/key-codec.ts';

/** Keys of rows as bytes that order as the values do. */
export function keyBytes(values: Row, types: readonly SqlType[]): Uint8Array {
  return encodeKey(values, types.slice(0, values.length));
}

/** start <= key < end: the keys that begin with these values */
export function prefixBytes(
  values: Row,
  types: readonly SqlType[],
): { readonly start: Uint8Array; readonly end: Uint8Array | undefined } {
  const start = keyBytes(values, types);
  return { start, end: keyAfterPrefix(start) };
}
