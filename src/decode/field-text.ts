import { unreachable } from '../core/assert.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { fail, shown } from './decode-error.ts';
import { doubleFromText } from './json-coercion.ts';
import { decimalText, doubleText, toBigint, toDecimal, toInt } from './number-text.ts';

/** Reads one field of a delimited record. An empty field is NULL, of every type. */
export function valueFromField(text: string, type: SqlType): Value | null {
  if (text === '') return null;
  switch (type.kind) {
    case 'BOOLEAN':
      return text.toLowerCase() === 'true';
    case 'INT':
    case 'DATE':
    case 'TIME':
      return toInt(integer(text, type));
    case 'BIGINT':
      return toBigint(integer(text, type));
    case 'TIMESTAMP':
      return Number(toBigint(integer(text, type)));
    case 'DOUBLE':
      return doubleFromText(text);
    case 'DECIMAL':
      return toDecimal(text, type.precision, type.scale);
    case 'STRING':
      return text;
    case 'BYTES':
      return fromBase64(text);
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      return fail(`DELIMITED holds no ${type.kind}`);
    default:
      return unreachable(type);
  }
}

function integer(text: string, type: SqlType): string {
  return /^[+-]?\d+$/.test(text) ? text : fail(`${shown(text)} is no ${type.kind}`);
}

/** Writes a value as a field of a delimited record; null is an empty field. */
export function fieldFromValue(value: Value | null, type: SqlType): string | null {
  if (value === null) return null;
  if (type.kind === 'DECIMAL') return decimalText(value as bigint, type.scale);
  if (type.kind === 'DOUBLE') return doubleText(value as number);
  if (type.kind === 'BYTES') return toBase64(value as Uint8Array);
  return String(value);
}
