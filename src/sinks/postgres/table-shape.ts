import type { SqlType } from '../../core/sql-type.ts';
import type { SinkView } from '../sink-target.ts';
import { columnType } from './column-types.ts';

/** The column that names the rows of a view without a key of its own: bytes, in the order of the view's rows. */
export const ROW_KEY = 'millrace_key';

export interface TableColumn {
  readonly name: string;
  /** as `format_type` writes it */
  readonly type: string;
  /** of the view; null: {@link ROW_KEY} */
  readonly of: SqlType | null;
}

/** The table of a view version. */
export interface TableShape {
  readonly columns: readonly TableColumn[];
  /** positions in `columns` */
  readonly key: readonly number[];
  /** key columns that may be NULL: those of views, where NULL is a group */
  readonly nullKeys: boolean;
}

export function tableShape(view: SinkView): TableShape {
  const columns: TableColumn[] = [];
  const taken = new Set<string>();
  for (const { name, type } of view.columns) {
    const own = columnName(name, taken);
    taken.add(own);
    columns.push({ name: own, type: columnType(type), of: type });
  }
  if (view.key.length > 0) return { columns, key: view.key, nullKeys: view.statement !== 'table' };
  columns.push({ name: ROW_KEY, type: 'bytea', of: null });
  return { columns, key: [columns.length - 1], nullKeys: false };
}

/** bytes: PostgreSQL cuts longer names */
const LONGEST_NAME = 63;

/** Names that SQL writes without quotes are lower case there; others stay. Those that are too long are cut, and told apart. */
function columnName(name: string, taken: ReadonlySet<string>): string {
  const own = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name.toLowerCase() : name;
  if (Buffer.byteLength(own) <= LONGEST_NAME) return own;
  let cut = withSuffix(own, '');
  for (let n = 2; taken.has(cut); n++) cut = withSuffix(own, `_${n}`);
  return cut;
}

/** A name that ends with `suffix` (ASCII) and that PostgreSQL does not cut. */
export function withSuffix(name: string, suffix: string): string {
  const characters = [...name];
  let bytes = Buffer.byteLength(name);
  while (bytes > LONGEST_NAME - suffix.length) bytes -= Buffer.byteLength(characters.pop() ?? '');
  return characters.join('') + suffix;
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function columnList({ columns }: TableShape): string {
  return columns.map(c => quoted(c.name)).join(', ');
}

export function keyList({ columns, key }: TableShape): string {
  return key.map(i => quoted(columns[i]?.name ?? '')).join(', ');
}

/** `ON CONFLICT ...`: a row that is there takes the new values. */
export function onConflict(shape: TableShape): string {
  const set = shape.columns.filter((_, i) => !shape.key.includes(i)).map(c => quoted(c.name));
  const what = set.length === 0 ? 'NOTHING' : `UPDATE SET ${set.map(n => `${n} = EXCLUDED.${n}`).join(', ')}`;
  return `ON CONFLICT (${keyList(shape)}) DO ${what}`;
}
