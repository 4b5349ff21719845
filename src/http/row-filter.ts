import type { Column } from '../core/schema.ts';
import type { Row, Value } from '../core/value.ts';
import type { OpenView } from '../deploy/view-access.ts';
import type { HttpPorts, RowText } from './ports.ts';
import { invalid, unknownParameter } from './query-params.ts';

export type FilterOp = 'eq' | 'gt' | 'gte' | 'lt' | 'lte' | 'null';

/** One condition on one column. Several values of `eq` mean any of them; NULL meets no condition but `null`. */
export interface RowFilter {
  readonly column: number;
  readonly op: FilterOp;
  readonly values: readonly Value[];
}

const SUFFIX = /^(.+)\.(eq|gt|gte|lt|lte|null)$/;

/** The conditions of `column=value`, `column.gte=value` ... for the columns of a view. */
export function rowFilters(
  view: OpenView,
  pairs: readonly (readonly [name: string, value: string])[],
  ports: {
    readonly text: RowText;
    readonly suggest: HttpPorts['suggest'];
    readonly known: readonly string[];
  },
): readonly RowFilter[] {
  const filters: RowFilter[] = [];
  const equal = new Map<number, Value[]>();
  for (const [name, value] of pairs) {
    const { column, op } = target(view, name, ports);
    if (op === 'null') {
      if (value !== 'true' && value !== 'false') throw invalid(`"${name}" takes true or false`);
      filters.push({ column, op, values: [value === 'true'] });
      continue;
    }
    const parsed = ports.text.parse(view.columns[column] as Column, value);
    if (op !== 'eq') filters.push({ column, op, values: [parsed] });
    else if (equal.has(column)) equal.get(column)?.push(parsed);
    else equal.set(column, [parsed]);
  }
  for (const [column, values] of equal) filters.push({ column, op: 'eq', values });
  return filters;
}

/** Whether a row meets all conditions. */
export function rowMatcher(
  columns: readonly Column[],
  filters: readonly RowFilter[],
  text: RowText,
): (row: Row) => boolean {
  const tests = filters.map(filter => valueTest(columns[filter.column] as Column, filter, text));
  return row => tests.every((test, i) => test(row[filters[i]?.column ?? -1] ?? null));
}

function valueTest(
  column: Column,
  { op, values }: RowFilter,
  text: RowText,
): (value: Value | null) => boolean {
  const [first] = values;
  if (op === 'null') return value => (value === null) === first;
  if (first === undefined) return () => false;
  const compare = (value: Value) => text.compare(column, value, first);
  switch (op) {
    case 'eq':
      return value => value !== null && values.some(v => text.compare(column, value, v) === 0);
    case 'gt':
      return value => value !== null && compare(value) > 0;
    case 'gte':
      return value => value !== null && compare(value) >= 0;
    case 'lt':
      return value => value !== null && compare(value) < 0;
    case 'lte':
      return value => value !== null && compare(value) <= 0;
  }
}

/** The column of a name: the exact one, else the only one that differs in case alone. -1: there is none. */
export function columnOf(view: OpenView, name: string): number {
  const exact = view.columns.findIndex(c => c.name === name);
  if (exact >= 0) return exact;
  const wanted = name.toLowerCase();
  const near = view.columns.flatMap((c, i) => (c.name.toLowerCase() === wanted ? [i] : []));
  return near.length === 1 ? (near[0] ?? -1) : -1;
}

function target(
  view: OpenView,
  name: string,
  { suggest, known }: { readonly suggest: HttpPorts['suggest']; readonly known: readonly string[] },
): { column: number; op: FilterOp } {
  const whole = columnOf(view, name);
  if (whole >= 0) return { column: whole, op: 'eq' };
  const [, head = '', op] = SUFFIX.exec(name) ?? [];
  const column = op === undefined ? -1 : columnOf(view, head);
  if (column >= 0) return { column, op: op as FilterOp };
  const names = view.columns.map(c => c.name);
  const near = op === undefined ? null : suggest(head, names);
  if (near !== null)
    throw invalid(`unknown parameter "${name.slice(0, 80)}"`, `did you mean "${near}.${op}"?`);
  throw unknownParameter(name, [...names, ...known], suggest);
}
