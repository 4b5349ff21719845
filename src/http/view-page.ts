import { MillraceError } from '../core/errors.ts';
import type { Column } from '../core/schema.ts';
import type { Row, Value } from '../core/value.ts';
import type { OpenView, ServedRow } from '../deploy/view-access.ts';
import type { RowText } from './ports.ts';
import { encodeCursor } from './row-cursor.ts';
import { type RowFilter, rowMatcher } from './row-filter.ts';
import { rowSize } from './row-size.ts';
import type { OrderColumn, ViewQuery } from './view-query.ts';

export interface Page {
  readonly rows: readonly Row[];
  /** cursor of the next page, null at the end. A page may be short and yet not the last: scans are bounded. */
  readonly next: string | null;
}

/** rows that one request may look at: it holds the thread meanwhile */
const MAX_SCAN = 50_000;
/** characters of the rows of a page, about; a row that is larger comes alone */
const MAX_PAGE_SIZE = 8 * 1024 * 1024;
/** characters of the rows that are sorted for one page, about */
const MAX_SORT_SIZE = 64 * 1024 * 1024;
/** combinations of key values that are looked up one by one */
const MAX_POINTS = 1000;

/** The page that a query asks for, at one position: nothing is awaited. */
export function readPage(view: OpenView, query: ViewQuery, text: RowText): Page {
  const matches = rowMatcher(view.columns, query.filters, text);
  const direction = keyOrder(view, query);
  return direction === null
    ? sortedPage(view, query, text, matches)
    : scannedPage(view, query, text, matches, direction);
}

function scannedPage(
  view: OpenView,
  query: ViewQuery,
  text: RowText,
  matches: (row: Row) => boolean,
  reverse: boolean,
): Page {
  const { limit, cursor, order, orderColumns, scope } = query;
  const rows: Row[] = [];
  let seen = 0;
  let size = 0;
  let last: ServedRow | null = null;
  const cursorAt = (served: ServedRow | null) =>
    served === null
      ? null
      : encodeCursor({ key: served.key, order: valuesOf(served.row, order) }, orderColumns, scope, text);
  for (const served of candidates(view, query.filters, text, { reverse, after: cursor?.key })) {
    if (++seen > MAX_SCAN) return { rows, next: cursorAt(last) };
    if (matches(served.row)) {
      size += rowSize(served.row);
      const full = rows.length === limit || (rows.length > 0 && size > MAX_PAGE_SIZE);
      if (full) return { rows, next: cursorAt(last) };
      rows.push(served.row);
      last = served;
    } else if (rows.length < limit) last = served;
  }
  return { rows, next: null };
}

function sortedPage(view: OpenView, query: ViewQuery, text: RowText, matches: (row: Row) => boolean): Page {
  const { limit, cursor, order, orderColumns, scope } = query;
  const compare = rowComparator(order, orderColumns, text);
  const found: { readonly key: Uint8Array; readonly order: Row; readonly row: Row }[] = [];
  let seen = 0;
  let size = 0;
  for (const { key, row } of candidates(view, query.filters, text, {})) {
    if (++seen > MAX_SCAN) throw tooMuchToSort(`${MAX_SCAN} rows`);
    if (!matches(row)) continue;
    const entry = { key, order: valuesOf(row, order), row };
    if (cursor !== null && compare(entry, cursor) <= 0) continue;
    size += rowSize(row);
    if (size > MAX_SORT_SIZE) throw tooMuchToSort(`${MAX_SORT_SIZE} characters`);
    found.push(entry);
  }
  found.sort(compare);
  const page = fitting(found, limit);
  const last = page.at(-1);
  return {
    rows: page.map(e => e.row),
    next:
      found.length === page.length || last === undefined
        ? null
        : encodeCursor(last, orderColumns, scope, text),
  };
}

/** The first entries that fit a page. */
function fitting<E extends { readonly row: Row }>(entries: readonly E[], limit: number): readonly E[] {
  let size = 0;
  let n = 0;
  for (const { row } of entries) {
    size += rowSize(row);
    if (n === limit || (n > 0 && size > MAX_PAGE_SIZE)) break;
    n++;
  }
  return entries.slice(0, n);
}

/** NULL after every value, as in the order of keys; equal rows by their keys. */
function rowComparator(order: readonly OrderColumn[], columns: readonly Column[], text: RowText) {
  type Sortable = { readonly key: Uint8Array; readonly order: Row };
  return (a: Sortable, b: Sortable): number => {
    for (let i = 0; i < order.length; i++) {
      const c = compareValues(a.order[i] ?? null, b.order[i] ?? null, columns[i] as Column, text);
      if (c !== 0) return order[i]?.descending ? -c : c;
    }
    return Buffer.compare(a.key, b.key);
  };
}

function compareValues(a: Value | null, b: Value | null, column: Column, text: RowText): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return text.compare(column, a, b);
}

/** Whether the order is that of the key, and then whether it is reversed; null when rows must be sorted. */
function keyOrder(view: OpenView, { order, filters }: ViewQuery): boolean | null {
  const fixed = fixedPrefix(view, filters);
  const fixedColumns = new Set(view.key.slice(0, fixed.length));
  const free = order.filter(o => !fixedColumns.has(o.column));
  const [first] = free;
  if (first === undefined) return order.length > 0 && view.key.length === 0 ? null : false;
  const inKeyOrder = free.every(
    (o, i) => o.column === view.key[fixed.length + i] && o.descending === first.descending,
  );
  return inKeyOrder ? first.descending : null;
}

/** Values of the first key columns that the conditions fix to one value each. */
function fixedPrefix(view: OpenView, filters: readonly RowFilter[]): Value[] {
  const prefix: Value[] = [];
  for (const column of view.key) {
    const value = filters.find(f => f.column === column && f.op === 'eq' && f.values.length === 1)?.values[0];
    if (value === undefined) break;
    prefix.push(value);
  }
  return prefix;
}

/** Rows among which all that match are, in order of their keys (or reversed), behind `after`. */
export function candidates(
  view: OpenView,
  filters: readonly RowFilter[],
  text: RowText,
  { reverse, after }: { reverse?: boolean; after?: Uint8Array | undefined },
): Iterable<ServedRow> {
  const points = pointKeys(view, filters, text);
  if (points === null) {
    const prefix = fixedPrefix(view, filters);
    return view.scan({ ...(prefix.length === 0 ? {} : { prefix }), reverse, after });
  }
  const sign = reverse ? -1 : 1;
  return points
    .flatMap(key => view.get(key) ?? [])
    .sort((a, b) => sign * Buffer.compare(a.key, b.key))
    .filter(r => after === undefined || sign * Buffer.compare(r.key, after) > 0);
}

/** The complete keys that the conditions name, when they name any. */
function pointKeys(view: OpenView, filters: readonly RowFilter[], text: RowText): Row[] | null {
  if (view.key.length === 0) return null;
  let keys: Value[][] = [[]];
  for (const column of view.key) {
    const equal = filters.find(f => f.column === column && f.op === 'eq');
    if (equal === undefined) return null;
    const type = view.columns[column] as Column;
    const distinct = equal.values.filter(
      (v, i) => equal.values.findIndex(w => text.compare(type, v, w) === 0) === i,
    );
    if (keys.length * distinct.length > MAX_POINTS) return null;
    keys = keys.flatMap(key => distinct.map(v => [...key, v]));
  }
  return keys;
}

function valuesOf(row: Row, order: readonly OrderColumn[]): Row {
  return order.map(o => row[o.column] ?? null);
}

function tooMuchToSort(limit: string): MillraceError {
  return new MillraceError('limit_exceeded', `more than ${limit} would have to be read to sort them`, {
    hint: 'order by the key, add conditions, or write a view that has the order as its key',
  });
}
