import { unreachable } from '../../core/assert.ts';
import type { SqlType } from '../../core/sql-type.ts';

/**
 * The type of a column in PostgreSQL, as `format_type` writes it. Every value of the view's type has exactly one form there:
 * moments are TIMESTAMPTZ, DECIMAL is NUMERIC of the same digits, an ARRAY of plain values is an array, and what has parts
 * of its own is JSONB.
 */
export function columnType(type: SqlType): string {
  switch (type.kind) {
    case 'BOOLEAN':
      return 'boolean';
    case 'INT':
      return 'integer';
    case 'BIGINT':
      return 'bigint';
    case 'DOUBLE':
      return 'double precision';
    case 'DECIMAL':
      return `numeric(${type.precision},${type.scale})`;
    case 'STRING':
      return 'text';
    case 'BYTES':
      return 'bytea';
    case 'DATE':
      return 'date';
    case 'TIME':
      return 'time without time zone';
    case 'TIMESTAMP':
      return 'timestamp with time zone';
    case 'ARRAY':
      return isPlain(type.element) ? `${columnType(type.element)}[]` : 'jsonb';
    case 'MAP':
    case 'STRUCT':
      return 'jsonb';
    default:
      return unreachable(type);
  }
}

export function isPlain(type: SqlType): boolean {
  return type.kind !== 'ARRAY' && type.kind !== 'MAP' && type.kind !== 'STRUCT';
}

/** Whether a column that somebody else has made holds every value of a type, exactly. */
export function holds(found: string, type: SqlType): boolean {
  if (found === columnType(type)) return true;
  switch (type.kind) {
    case 'STRING':
      return found === 'character varying';
    case 'INT':
      return found === 'bigint';
    case 'DECIMAL': {
      if (found === 'numeric') return true;
      const [, precision, scale] = /^numeric\((\d+),(-?\d+)\)$/.exec(found) ?? [];
      if (precision === undefined || scale === undefined) return false;
      const whole = Number(precision) - Number(scale);
      return Number(scale) >= type.scale && whole >= type.precision - type.scale;
    }
    case 'TIME':
      return /^time\([3-6]\) without time zone$/.test(found);
    case 'TIMESTAMP':
      return /^timestamp\([3-6]\) with time zone$/.test(found);
    default:
      return false;
  }
}
