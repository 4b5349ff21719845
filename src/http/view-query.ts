import type { Column } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { OpenView } from '../deploy/view-access.ts';
import type { HttpPorts } from './ports.ts';
import { invalid, type QueryParams } from './query-params.ts';
import { cursorScope, decodeCursor, type RowCursor } from './row-cursor.ts';
import { columnOf, type RowFilter, rowFilters } from './row-filter.ts';

export interface OrderColumn {
  readonly column: number;
  readonly descending: boolean;
}

/** What is asked of a view's rows. */
export interface ViewQuery {
  readonly filters: readonly RowFilter[];
  /** empty: in order of the key */
  readonly order: readonly OrderColumn[];
  /** of the order's columns */
  readonly orderColumns: readonly Column[];
  readonly limit: number;
  readonly cursor: RowCursor | null;
  readonly scope: string;
}

const DEFAULT_LIMIT = 100;
/** conditions of one query */
const MAX_FILTERS = 200;
const UNORDERED: ReadonlySet<string> = new Set(['ARRAY', 'MAP', 'STRUCT', 'BYTES']);

/** Reads a query of the route's parameters; `key` are values of the first key columns that the path gives. */
export function viewQuery(
  view: OpenView,
  params: QueryParams,
  ports: HttpPorts,
  { maxLimit, known, key = [] }: { maxLimit: number; known: readonly string[]; key?: Row },
): ViewQuery {
  if (params.others.length > MAX_FILTERS) throw invalid(`more than ${MAX_FILTERS} conditions`);
  const filters = [
    ...key.flatMap((value, i) =>
      value === null ? [] : [{ column: view.key[i] ?? -1, op: 'eq' as const, values: [value] }],
    ),
    ...windowFilters(view, params),
    ...rowFilters(view, params.others, { text: ports.text, suggest: ports.suggest, known }),
  ];
  const order = orderOf(view, params.text('order'), ports.suggest);
  const orderColumns = order.map(o => view.columns[o.column] as Column);
  const scope = cursorScope([
    view.name,
    view.fingerprint,
    key.map(String),
    params.text('from'),
    params.text('to'),
    params.others,
    params.text('order'),
  ]);
  const cursor = params.text('cursor');
  return {
    filters,
    order,
    orderColumns,
    limit: params.whole('limit', { min: 1, max: maxLimit }) ?? Math.min(DEFAULT_LIMIT, maxLimit),
    cursor: cursor === null ? null : decodeCursor(cursor, orderColumns, scope, ports.text),
    scope,
  };
}

/** `from` and `to`: windows that start in [from, to). */
function windowFilters(view: OpenView, params: QueryParams): RowFilter[] {
  const from = params.time('from');
  const to = params.time('to');
  if (from === null && to === null) return [];
  const column = view.key.at(-2);
  if (!view.windowed || column === undefined) {
    throw invalid(`the rows of "${view.name}" have no windows`, '`from` and `to` are for windowed views');
  }
  return [
    ...(from === null ? [] : [{ column, op: 'gte' as const, values: [BigInt(from)] }]),
    ...(to === null ? [] : [{ column, op: 'lt' as const, values: [BigInt(to)] }]),
  ];
}

function orderOf(view: OpenView, text: string | null, suggest: HttpPorts['suggest']): OrderColumn[] {
  if (text === null) return [];
  const seen = new Set<number>();
  return text.split(',').map(part => {
    const descending = part.startsWith('-');
    const name = descending ? part.slice(1) : part;
    const column = columnOf(view, name);
    if (column < 0) {
      const names = view.columns.map(c => c.name);
      const near = suggest(name, names);
      throw invalid(
        `there is no column "${name.slice(0, 80)}" to order by`,
        near === null ? `columns: ${names.join(', ')}` : `did you mean "${near}"?`,
      );
    }
    if (seen.has(column)) throw invalid(`column "${name.slice(0, 80)}" stands twice in the order`);
    seen.add(column);
    const kind = view.columns[column]?.type.kind ?? '';
    if (UNORDERED.has(kind)) throw invalid(`"${name}" is of type ${kind}, which has no order here`);
    return { column, descending };
  });
}
