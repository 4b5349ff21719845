import type { SqlType } from '../core/sql-type.ts';
import type { Row, Value } from '../core/value.ts';
import { valueKey } from './value-key.ts';

/** One of all values that are equal to it. */
type Canonical = (value: Value | null) => Value | null;

/**
 * What a group's key shows, of which equal values may look different: 0 for -0, a MAP's entries in order of their keys.
 * Then it does not matter which of the group's rows came first, or is still remembered. Null: equal values of the type
 * look the same.
 */
export function canonicalValue(type: SqlType): Canonical | null {
  switch (type.kind) {
    case 'DOUBLE':
      // -0 + 0 is 0
      return v => (v === null ? null : (v as number) + 0);
    case 'ARRAY': {
      const element = canonicalValue(type.element);
      return element && (v => (v === null ? null : (v as Row).map(element)));
    }
    case 'STRUCT': {
      const fields = type.fields.map(f => canonicalValue(f.type));
      if (fields.every(f => f === null)) return null;
      return v => (v === null ? null : (v as Row).map((x, i) => fields[i]?.(x) ?? x));
    }
    case 'MAP': {
      const keyText = valueKey(type.key);
      const key = canonicalValue(type.key) ?? (k => k);
      const value = canonicalValue(type.value) ?? (x => x);
      return v => {
        if (v === null) return null;
        const entries = [...(v as ReadonlyMap<Value, Value | null>)].map(
          ([k, x]) => [keyText(k), key(k) as Value, value(x)] as const,
        );
        entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
        return new Map(entries.map(([, k, x]) => [k, x]));
      };
    }
    default:
      return null;
  }
}
