import type { Row, Value } from '../core/value.ts';

const SMALL = 16;

/** About how many characters a row takes as text. */
export function rowSize(row: Row): number {
  let size = 0;
  for (const value of row) size += valueSize(value);
  return size;
}

function valueSize(value: Value | null): number {
  if (typeof value === 'string') return SMALL + value.length;
  if (value === null || typeof value !== 'object') return SMALL;
  if (value instanceof Uint8Array) return SMALL + value.length;
  let size = SMALL;
  if (value instanceof Map) for (const [k, v] of value) size += valueSize(k) + valueSize(v);
  else for (const item of value as readonly (Value | null)[]) size += valueSize(item);
  return size;
}
