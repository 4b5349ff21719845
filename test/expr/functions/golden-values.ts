import { parseDate, parseTime, parseTimestamp } from '../../../src/core/iso-time.ts';
import type { SqlType } from '../../../src/core/sql-type.ts';
import type { Value } from '../../../src/core/value.ts';
import { parseDecimal, rescale } from '../../../src/expr/decimal.ts';
import { parseSignature, substitute } from '../../../src/expr/signature.ts';

export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

/** The type that a text such as `ARRAY<DECIMAL(4, 2)>` writes. */
export function typeOf(text: string): SqlType {
  const type = substitute(parseSignature(`() -> ${text}`, 'golden case').returns, new Map());
  if (!type) throw new Error(`no type: ${text}`);
  return type;
}

/**
 * A value as golden cases write it: BIGINT as number or string, DECIMAL as string, BYTES as hexadecimal digits, dates and
 * times in ISO form, NaN and infinities as strings, MAP and STRUCT as objects.
 */
export function goldenValue(type: SqlType, plain: Plain): Value | null {
  if (plain === null) return null;
  switch (type.kind) {
    case 'BIGINT':
      return BigInt(plain as string);
    case 'DECIMAL': {
      const { unscaled, scale } = must(parseDecimal(plain as string), plain);
      if (scale > type.scale) throw new Error(`${JSON.stringify(plain)} has more than ${type.scale} places`);
      return rescale(unscaled, scale, type.scale);
    }
    case 'DOUBLE':
      return Number(plain);
    case 'BYTES':
      return new Uint8Array(Buffer.from(plain as string, 'hex'));
    case 'DATE':
      return must(parseDate(plain as string), plain);
    case 'TIME':
      return must(parseTime(plain as string), plain);
    case 'TIMESTAMP':
      return must(parseTimestamp(plain as string), plain);
    case 'ARRAY':
      return (plain as readonly Plain[]).map(v => goldenValue(type.element, v));
    case 'MAP':
      return new Map(
        Object.entries(plain as Record<string, Plain>).map(([k, v]) => [
          must(goldenValue(type.key, k), k),
          goldenValue(type.value, v),
        ]),
      );
    case 'STRUCT':
      return type.fields.map(f => goldenValue(f.type, (plain as Record<string, Plain>)[f.name] ?? null));
    default:
      return plain as Value;
  }
}

function must<T>(value: T | null, plain: Plain): T {
  if (value === null) throw new Error(`a golden case holds ${JSON.stringify(plain)}`);
  return value;
}
