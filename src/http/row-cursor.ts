import { createHash } from 'node:crypto';
import type { Column } from '../core/schema.ts';
import type { Row, Value } from '../core/value.ts';
import type { RowText } from './ports.ts';
import { invalid } from './query-params.ts';

/** Where the next page begins: behind the row of this key (and, in an order of its own, these values). */
export interface RowCursor {
  readonly key: Uint8Array;
  /** values of the columns of the order; empty in key order */
  readonly order: Row;
}

/** Binds cursors to what they were given for. */
export function cursorScope(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 10);
}

export function encodeCursor(
  { key, order }: RowCursor,
  columns: readonly Column[],
  scope: string,
  text: RowText,
): string {
  const values = columns.length === 0 ? '' : `.${base64(text.json(columns, 'string')(order))}`;
  return `${scope}.${base64(key)}${values}`;
}

/** Throws `request_invalid` when the text is none or belongs to another query. */
export function decodeCursor(
  cursor: string,
  columns: readonly Column[],
  scope: string,
  text: RowText,
): RowCursor {
  const [owner, key, values, more] = cursor.split('.');
  if (owner !== scope || key === undefined || more !== undefined) throw foreign();
  return {
    key: new Uint8Array(Buffer.from(key, 'base64url')),
    order: columns.length === 0 ? [] : orderValues(values ?? '', columns, text),
  };
}

function orderValues(encoded: string, columns: readonly Column[], text: RowText): (Value | null)[] {
  let values: Record<string, unknown>;
  try {
    values = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')) as Record<string, unknown>;
  } catch {
    throw foreign();
  }
  return columns.map(column => {
    const value = values?.[column.name];
    if (value === null) return null;
    if (value === undefined || typeof value === 'object') throw foreign();
    return text.parse(column, String(value));
  });
}

function foreign(): Error {
  return invalid('this cursor belongs to another query', 'begin again without it');
}

function base64(data: Uint8Array | string): string {
  return Buffer.from(data as Uint8Array).toString('base64url');
}
