/**
 * The SQL types. A type is frozen plain data: two types are the same when {@link sameType} says so,
 * never by object identity. TIME and TIMESTAMP count milliseconds, DATE counts days since 1970-01-01.
 */
export type SqlType =
  | { readonly kind: 'BOOLEAN' }
  | { readonly kind: 'INT' }
  | { readonly kind: 'BIGINT' }
  | { readonly kind: 'DOUBLE' }
  | { readonly kind: 'DECIMAL'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'STRING' }
  | { readonly kind: 'BYTES' }
  | { readonly kind: 'DATE' }
  | { readonly kind: 'TIME' }
  | { readonly kind: 'TIMESTAMP' }
  | { readonly kind: 'ARRAY'; readonly element: SqlType }
  | { readonly kind: 'MAP'; readonly key: SqlType; readonly value: SqlType }
  | { readonly kind: 'STRUCT'; readonly fields: readonly StructField[] };

export interface StructField {
  readonly name: string;
  readonly type: SqlType;
}

/** Largest precision of a DECIMAL. */
export const MAX_PRECISION = 38;
/** A DECIMAL up to this precision fits a scaled 64-bit integer. */
export const MAX_I64_PRECISION = 18;

export const BOOLEAN: SqlType = Object.freeze({ kind: 'BOOLEAN' });
export const INT: SqlType = Object.freeze({ kind: 'INT' });
export const BIGINT: SqlType = Object.freeze({ kind: 'BIGINT' });
export const DOUBLE: SqlType = Object.freeze({ kind: 'DOUBLE' });
export const STRING: SqlType = Object.freeze({ kind: 'STRING' });
export const BYTES: SqlType = Object.freeze({ kind: 'BYTES' });
export const DATE: SqlType = Object.freeze({ kind: 'DATE' });
export const TIME: SqlType = Object.freeze({ kind: 'TIME' });
export const TIMESTAMP: SqlType = Object.freeze({ kind: 'TIMESTAMP' });

export function decimal(precision: number, scale: number): SqlType {
  return Object.freeze({ kind: 'DECIMAL', precision, scale });
}

export function arrayOf(element: SqlType): SqlType {
  return Object.freeze({ kind: 'ARRAY', element });
}

export function mapOf(key: SqlType, value: SqlType): SqlType {
  return Object.freeze({ kind: 'MAP', key, value });
}

export function structOf(fields: readonly StructField[]): SqlType {
  return Object.freeze({ kind: 'STRUCT', fields: Object.freeze(fields.map(f => Object.freeze({ ...f }))) });
}

export function sameType(a: SqlType, b: SqlType): boolean {
  if (a === b) return true;
  if (a.kind === 'DECIMAL' && b.kind === 'DECIMAL') return a.precision === b.precision && a.scale === b.scale;
  if (a.kind === 'ARRAY' && b.kind === 'ARRAY') return sameType(a.element, b.element);
  if (a.kind === 'MAP' && b.kind === 'MAP') return sameType(a.key, b.key) && sameType(a.value, b.value);
  if (a.kind === 'STRUCT' && b.kind === 'STRUCT') {
    return (
      a.fields.length === b.fields.length &&
      a.fields.every((f, i) => {
        const g = b.fields[i];
        return g !== undefined && f.name === g.name && sameType(f.type, g.type);
      })
    );
  }
  return a.kind === b.kind;
}

/** The type as SQL writes it: `DECIMAL(10, 2)`, `ARRAY<STRING>`, ``STRUCT<`a` INT>`` (names quoted). */
export function typeText(type: SqlType): string {
  switch (type.kind) {
    case 'DECIMAL':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'ARRAY':
      return `ARRAY<${typeText(type.element)}>`;
    case 'MAP':
      return `MAP<${typeText(type.key)}, ${typeText(type.value)}>`;
    case 'STRUCT':
      return `STRUCT<${type.fields.map(f => `\`${f.name}\` ${typeText(f.type)}`).join(', ')}>`;
    default:
      return type.kind;
  }
}

export function isNumeric(type: SqlType): boolean {
  return type.kind === 'INT' || type.kind === 'BIGINT' || type.kind === 'DECIMAL' || type.kind === 'DOUBLE';
}
