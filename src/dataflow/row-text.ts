import { MillraceError } from '../core/errors.ts';
import type { Column } from '../core/schema.ts';
import { STRING, typeText } from '../core/sql-type.ts';
import type { Row, Value } from '../core/value.ts';
import { castBetween } from '../expr/cast.ts';
import { comparator } from '../expr/compare.ts';
import { type JsonOptions, jsonWriter } from '../expr/value-json.ts';
import { valueText } from '../expr/value-text.ts';

/** Rows as JSON objects with named fields; BIGINT and DECIMAL exact (see `JsonOptions`). */
export function rowJsonWriter(columns: readonly Column[], options: JsonOptions): (row: Row) => string {
  const known = writers[options.numbers].get(columns);
  if (known !== undefined) return known;
  const before = columns.map((c, i) => `${i === 0 ? '{' : ','}${JSON.stringify(c.name)}:`);
  const write = columns.map(c => jsonWriter(c.type, options));
  const writer = (row: Row): string => {
    let text = columns.length === 0 ? '{' : '';
    for (let i = 0; i < before.length; i++) {
      text += before[i] as string;
      text += (write[i] as (typeof write)[number])(row[i] ?? null);
    }
    return `${text}}`;
  };
  writers[options.numbers].set(columns, writer);
  return writer;
}

/** by the columns of a view, which are the same object as long as it is served */
const writers: Readonly<Record<JsonOptions['numbers'], WeakMap<readonly Column[], (row: Row) => string>>> = {
  string: new WeakMap(),
  json: new WeakMap(),
};

/** Rows as lines of CSV (RFC 4180); NULL is an empty field, an empty string is `""`. */
export function rowCsvWriter(columns: readonly Column[]): { readonly header: string; row(row: Row): string } {
  const quote = (text: string) =>
    text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const texts = columns.map(c => valueText(c.type));
  return {
    header: columns.map(c => quote(c.name)).join(','),
    row: row =>
      texts
        .map((write, i) => {
          const value = row[i] ?? null;
          return value === null ? '' : quote(write(value));
        })
        .join(','),
  };
}

/** Rows of views as text and back, for whoever serves them. */
export const rowText = {
  json: (columns: readonly Column[], numbers: JsonOptions['numbers']) => rowJsonWriter(columns, { numbers }),
  csv: rowCsvWriter,
  parse: parseColumnText,
  compare: (column: Column, a: Value, b: Value) => comparator(column.type)(a, b),
};

/** No text is cast to these. */
const UNWRITTEN: ReadonlySet<string> = new Set(['ARRAY', 'MAP', 'STRUCT', 'BYTES']);
const WINDOW_BOUNDS = new Set(['WINDOWSTART', 'WINDOWEND']);

/**
 * A value of a column from the text of a URL: as CAST(text AS type) reads it; window bounds also as ISO timestamps.
 * Throws `request_invalid`.
 */
export function parseColumnText(column: Column, text: string): Value {
  if (column.type.kind === 'STRING') return text;
  if (WINDOW_BOUNDS.has(column.name) && /\D/.test(text)) {
    const ms = Date.parse(text);
    if (Number.isFinite(ms)) return BigInt(ms);
  }
  if (UNWRITTEN.has(column.type.kind)) {
    throw new MillraceError(
      'request_invalid',
      `"${column.name}" is of type ${typeText(column.type)}, which has no text in a URL`,
      { hint: 'write the condition in SQL: POST /query' },
    );
  }
  let problem: string | null = null;
  const value = castBetween(STRING, column.type)(text, {
    now: 0,
    rowtime: 0,
    seq: 0,
    zone: 'UTC',
    fail: message => {
      problem = message;
      return null;
    },
  });
  if (value !== null && problem === null) return value;
  throw new MillraceError(
    'request_invalid',
    `"${text.slice(0, 80)}" is no ${typeText(column.type)} for "${column.name}"`,
  );
}
