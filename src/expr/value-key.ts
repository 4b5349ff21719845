import type { SqlType } from '../core/sql-type.ts';
import type { Row, Value } from '../core/value.ts';

/**
 * A text that is equal for two values of a type exactly when the values are equal: for Maps keyed by rows.
 * Self-delimiting, so that texts may be joined without a separator. -0 is 0 and a MAP's order does not count, as in
 * `equality`.
 */
export type KeyText = (value: Value | null) => string;

export function valueKey(type: SqlType): KeyText {
  const text = presentKey(type);
  return value => (value === null ? '~' : text(value));
}

/** The key text of a row of these types; the row may be longer, only the first columns count. */
export function rowKey(types: readonly SqlType[]): (row: Row) => string {
  const texts = types.map(valueKey);
  const [only] = texts;
  if (only && texts.length === 1) return row => only(row[0] ?? null);
  return row => {
    let key = '';
    for (let i = 0; i < texts.length; i++) key += texts[i]?.(row[i] ?? null) ?? '';
    return key;
  };
}

function presentKey(type: SqlType): (value: Value) => string {
  switch (type.kind) {
    case 'BOOLEAN':
      return v => (v === true ? 't' : 'f');
    case 'INT':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
    case 'DOUBLE':
      // `${-0}` is 0
      return v => `${v as number};`;
    case 'BIGINT':
    case 'DECIMAL':
      return v => `${v as bigint};`;
    case 'STRING':
      return v => `${(v as string).length}:${v as string}`;
    case 'BYTES':
      return v => bytesKey(v as Uint8Array);
    case 'ARRAY': {
      const element = valueKey(type.element);
      return v => {
        const items = v as readonly (Value | null)[];
        return `[${items.length}:${items.map(element).join('')}`;
      };
    }
    case 'STRUCT': {
      const fields = rowKey(type.fields.map(f => f.type));
      return v => `(${fields(v as readonly (Value | null)[])}`;
    }
    case 'MAP': {
      const key = presentKey(type.key);
      const value = valueKey(type.value);
      return v => {
        const entries = [...(v as ReadonlyMap<Value, Value | null>)].map(([k, x]) => key(k) + value(x));
        return `{${entries.length}:${entries.sort().join('')}`;
      };
    }
  }
}

function bytesKey(bytes: Uint8Array): string {
  return `${bytes.length}:${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')}`;
}
