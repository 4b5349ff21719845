import { MillraceError } from '../../core/errors.ts';
import { holds } from './column-types.ts';
import type { Connection } from './connection.ts';
import { quoted, type TableShape } from './table-shape.ts';

/** A table that is there, or null. */
export interface FoundTable {
  readonly columns: ReadonlyMap<string, string>;
  /** sets of columns that a unique index without condition holds apart; `nulls`: rows with NULL in one of them, too */
  readonly unique: readonly { readonly columns: readonly string[]; readonly nulls: boolean }[];
  readonly empty: boolean;
}

/** Throws `sink_refused` when the name is taken by something that is no table, or when some of its rows are hidden. */
export async function foundTable(connection: Connection, table: string): Promise<FoundTable | null> {
  const [found] = await connection.run(
    `SELECT relkind::text AS kind, row_security_active(oid) AS hides FROM pg_class WHERE oid = to_regclass($1)`,
    [table],
  );
  if (found === undefined) return null;
  if (found.kind !== 'r') {
    throw new MillraceError('sink_refused', `${table} is there and is no plain table`, {
      hint: 'name another table for the sink',
    });
  }
  if (found.hides === true) {
    throw new MillraceError(
      'sink_refused',
      `row security hides rows of ${table} from the user of this sink`,
      {
        hint: `the user must own the table, without FORCE ROW LEVEL SECURITY, or have BYPASSRLS`,
      },
    );
  }
  const columns = await connection.run(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    [table],
  );
  const unique = await connection.run(
    `SELECT (SELECT json_agg(a.attname) FROM unnest(i.indkey) WITH ORDINALITY k (n, at)
              JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n WHERE k.at <= i.indnkeyatts) AS columns,
            NOT EXISTS (SELECT 1 FROM unnest(i.indkey) WITH ORDINALITY k (n, at)
              JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
              WHERE k.at <= i.indnkeyatts AND NOT a.attnotnull)
            -- a column that PostgreSQL has from version 15 on
            OR COALESCE((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls
       FROM pg_index i
      WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate
        AND i.indpred IS NULL AND i.indexprs IS NULL`,
    [table],
  );
  const rows = await connection.run(`SELECT 1 FROM ${table} LIMIT 1`);
  return {
    columns: new Map(columns.map(c => [String(c.name), String(c.type)])),
    unique: unique.map(u => ({ columns: (u.columns ?? []) as string[], nulls: u.nulls === true })),
    empty: rows.length === 0,
  };
}

/** What keeps a table from holding the rows of a view; empty: nothing. */
export function misfits({ columns, unique }: FoundTable, shape: TableShape): string[] {
  const wrong: string[] = [];
  for (const { name, type, of } of shape.columns) {
    const found = columns.get(name);
    if (found === undefined) wrong.push(`column ${quoted(name)} ${type} is missing`);
    else if (of === null ? found !== type : !holds(found, of)) {
      wrong.push(`column ${quoted(name)} is ${found}, not ${type}`);
    }
  }
  const known = new Set(shape.columns.map(c => c.name));
  for (const name of columns.keys())
    if (!known.has(name)) wrong.push(`column ${quoted(name)} is not in the view`);
  const key = shape.key.map(i => shape.columns[i]?.name ?? '');
  const keys = unique.filter(u => u.columns.length === key.length && key.every(k => u.columns.includes(k)));
  if (wrong.length === 0 && keys.length === 0) {
    wrong.push(`no primary key or unique index is on ${key.map(quoted).join(', ')}`);
  } else if (wrong.length === 0 && shape.nullKeys && !keys.some(k => k.nulls)) {
    // a row whose key is NULL would be added again with each of its changes
    wrong.push(
      `${key.map(quoted).join(', ')} may be NULL, and its unique index takes that twice: a primary key or UNIQUE NULLS NOT DISTINCT does not`,
    );
  }
  return wrong;
}
