import { unreachable } from '../core/assert.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { toBase64 } from './base64.ts';
import { decimalText, doubleText } from './number-text.ts';

/** A value as JSON text, exact: BIGINT and DECIMAL as plain digits with their full scale, DOUBLE as Java writes it. */
export function jsonFromValue(value: Value | null, type: SqlType): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'BOOLEAN':
    case 'INT':
    case 'BIGINT':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
      return String(value);
    case 'DOUBLE':
      return Number.isFinite(value as number)
        ? doubleText(value as number)
        : JSON.stringify(doubleText(value as number));
    case 'DECIMAL':
      return decimalText(value as bigint, type.scale);
    case 'STRING':
      return JSON.stringify(value);
    case 'BYTES':
      return JSON.stringify(toBase64(value as Uint8Array));
    case 'ARRAY':
      return `[${(value as readonly (Value | null)[]).map(v => jsonFromValue(v, type.element)).join(',')}]`;
    case 'MAP':
      return `{${[...(value as ReadonlyMap<Value, Value | null>)]
        .map(([k, v]) => `${JSON.stringify(mapKeyText(k, type.key))}:${jsonFromValue(v, type.value)}`)
        .join(',')}}`;
    case 'STRUCT': {
      const fields = value as readonly (Value | null)[];
      return jsonObject(type.fields.map((f, i) => [f.name, jsonFromValue(fields[i] ?? null, f.type)]));
    }
    default:
      return unreachable(type);
  }
}

function jsonObject(fields: readonly (readonly [name: string, json: string])[]): string {
  return `{${fields.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

function mapKeyText(key: Value, type: SqlType): string {
  if (typeof key === 'string') return key;
  return type.kind === 'BYTES' ? toBase64(key as Uint8Array) : jsonFromValue(key, type);
}
