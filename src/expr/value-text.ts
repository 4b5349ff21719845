import { formatDate, formatTime, formatTimestamp } from '../core/iso-time.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { formatDecimal } from './decimal.ts';
import { doubleText } from './double-text.ts';

/**
 * A value as CAST(... AS STRING) gives it: numbers in full, times in ISO form, `[1, null]`, `{a=1}`, and a STRUCT as
 * `Struct{A=1}` without the fields that are NULL (ksqlDB's forms).
 */
export function valueText(type: SqlType): (value: Value) => string {
  switch (type.kind) {
    case 'STRING':
      return v => v as string;
    case 'BOOLEAN':
    case 'INT':
    case 'BIGINT':
      return v => `${v as number | bigint | boolean}`;
    case 'DOUBLE':
      return v => doubleText(v as number);
    case 'DECIMAL':
      return v => formatDecimal(v as bigint, type.scale);
    case 'DATE':
      return v => formatDate(v as number);
    case 'TIME':
      return v => formatTime(v as number);
    case 'TIMESTAMP':
      return v => formatTimestamp(v as number);
    case 'BYTES':
      return v => base64(v as Uint8Array);
    case 'ARRAY': {
      const element = nullableText(type.element);
      return v => `[${(v as readonly (Value | null)[]).map(element).join(', ')}]`;
    }
    case 'MAP': {
      const key = valueText(type.key);
      const value = nullableText(type.value);
      return v => {
        const entries = [...(v as ReadonlyMap<Value, Value | null>)];
        return `{${entries.map(([k, x]) => `${key(k)}=${value(x)}`).join(', ')}}`;
      };
    }
    case 'STRUCT': {
      const fields = type.fields.map(f => ({ name: f.name, text: valueText(f.type) }));
      return v => {
        const values = v as readonly (Value | null)[];
        const parts = fields.flatMap((f, i) => {
          const x = values[i] ?? null;
          return x === null ? [] : [`${f.name}=${f.text(x)}`];
        });
        return `Struct{${parts.join(',')}}`;
      };
    }
  }
}

function nullableText(type: SqlType): (value: Value | null) => string {
  const text = valueText(type);
  return value => (value === null ? 'null' : text(value));
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
