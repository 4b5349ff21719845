import { formatTimestamp } from '../core/iso-time.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { formatDecimal } from './decimal.ts';
import { valueText } from './value-text.ts';

export interface JsonOptions {
  /**
   * How exact numbers are written. `string`: BIGINT and DECIMAL as JSON strings, safe for every client. `json`: as JSON
   * numbers with all their digits, for clients that read them exactly.
   */
  readonly numbers: 'string' | 'json';
}

/**
 * A value as JSON text, exact: DECIMAL with its full scale, DATE, TIME and TIMESTAMP as ISO strings (UTC, `Z`), BYTES as
 * base64, MAP as an object with its keys as text, STRUCT as an object of its fields. NaN and infinities, which JSON does
 * not have, are strings.
 */
export function valueToJson(type: SqlType, value: Value | null, options: JsonOptions): string {
  return jsonWriter(type, options)(value);
}

/** {@link valueToJson} prepared for many values of one type. */
export function jsonWriter(type: SqlType, options: JsonOptions): (value: Value | null) => string {
  const write = presentWriter(type, options);
  return value => (value === null ? 'null' : write(value));
}

function presentWriter(type: SqlType, options: JsonOptions): (value: Value) => string {
  const exact = (digits: string) => (options.numbers === 'json' ? digits : `"${digits}"`);
  switch (type.kind) {
    case 'BOOLEAN':
    case 'INT':
      return v => `${v as boolean | number}`;
    case 'DOUBLE':
      return v => (Number.isFinite(v) ? JSON.stringify(v) : `"${v as number}"`);
    case 'BIGINT':
      return v => exact((v as bigint).toString());
    case 'DECIMAL':
      return v => exact(formatDecimal(v as bigint, type.scale));
    case 'STRING':
      return v => JSON.stringify(v);
    case 'TIMESTAMP':
      return v => `"${formatTimestamp(v as number)}Z"`;
    case 'DATE':
    case 'TIME':
    case 'BYTES': {
      const text = valueText(type);
      return v => `"${text(v)}"`;
    }
    case 'ARRAY': {
      const element = jsonWriter(type.element, options);
      return v => `[${(v as readonly (Value | null)[]).map(element).join(',')}]`;
    }
    case 'MAP': {
      const key = valueText(type.key);
      const value = jsonWriter(type.value, options);
      return v => {
        const entries = [...(v as ReadonlyMap<Value, Value | null>)];
        return `{${entries.map(([k, x]) => `${JSON.stringify(key(k))}:${value(x)}`).join(',')}}`;
      };
    }
    case 'STRUCT': {
      const fields = type.fields.map(f => ({
        name: JSON.stringify(f.name),
        write: jsonWriter(f.type, options),
      }));
      return v => {
        const values = v as readonly (Value | null)[];
        return `{${fields.map((f, i) => `${f.name}:${f.write(values[i] ?? null)}`).join(',')}}`;
      };
    }
  }
}
