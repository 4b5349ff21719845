import type { Value } from '../../../src/core/value.ts';

/** A value as text that tells apart what the engine must tell apart: -0 and 0, INT and BIGINT, NULL and text. */
export function exactText(value: Value | null | readonly (Value | null)[]): string {
  if (value === null) return '~';
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'boolean':
      return String(value);
    default:
      if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
      if (value instanceof Map) {
        return `{${[...value].map(([k, v]) => `${exactText(k)}: ${exactText(v)}`).join(', ')}}`;
      }
      return `[${(value as readonly (Value | null)[]).map(exactText).join(', ')}]`;
  }
}
