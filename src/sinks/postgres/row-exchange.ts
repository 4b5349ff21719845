import { MillraceError } from '../../core/errors.ts';
import type { Connection } from './connection.ts';
import { foundTable, misfits } from './found-table.ts';
import { columnList, onConflict, quoted, type TableShape } from './table-shape.ts';

/** What a table has that no other table could take over: it stays then, and its rows are exchanged. */
export async function ties(connection: Connection, table: string): Promise<readonly string[]> {
  const [found] = await connection.run(
    `SELECT c.relrowsecurity OR EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid) AS secured,
            EXISTS (SELECT 1 FROM pg_publication_rel p WHERE p.prrelid = c.oid) AS published,
            CASE WHEN r.rolname <> current_user THEN r.rolname END AS owner
       FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = to_regclass($1)`,
    [table],
  );
  const tied: string[] = [];
  if (found?.secured === true) tied.push('row security');
  if (found?.published === true) tied.push('a publication');
  if (typeof found?.owner === 'string') tied.push(`an owner of its own, "${found.owner}"`);
  return tied;
}

export interface ExchangedRows {
  /** quoted, with their schema */
  readonly old: string;
  readonly fresh: string;
  readonly shape: TableShape;
  /** what {@link ties} the old table; empty: views or foreign keys of the database */
  readonly tied: readonly string[];
}

/**
 * The old table stays, and within this transaction its rows become those of the fresh one. A row whose key is in both is
 * changed where it stands: what refers to it must not notice.
 */
export async function exchangeRows(
  connection: Connection,
  { old, fresh, shape, tied }: ExchangedRows,
): Promise<void> {
  const columns = columnList(shape);
  const types = (table: string) =>
    connection.run(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
        WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attname`,
      [table],
    );
  const found = await foundTable(connection, old);
  const same = JSON.stringify(await types(old)) === JSON.stringify(await types(fresh));
  if (found === null || !same || misfits(found, shape).length > 0) {
    const changed = `${old} has other columns or another key now`;
    throw tied.length > 0
      ? new MillraceError(
          'sink_refused',
          `${changed}, and another table cannot have its ${tied.join(', ')}`,
          {
            hint: 'remove that from the table and give it to the new one afterwards, or drop the table: it is made anew',
          },
        )
      : new MillraceError(
          'sink_refused',
          `${changed}, and something in the database depends on the table as it is`,
          {
            hint: `drop what depends on it (DROP TABLE ${old} without CASCADE lists it) and make it again afterwards`,
          },
        );
  }
  await connection.run(
    `DELETE FROM ${old} o WHERE NOT EXISTS (SELECT 1 FROM ${fresh} f WHERE ${sameKey(shape, 'o', 'f')})`,
  );
  await connection.run(
    `INSERT INTO ${old} AS o (${columns}) SELECT ${columns} FROM ${fresh} ${onConflict(shape)}${unlessSame(shape)}`,
  );
  await connection.run(`DROP TABLE ${fresh}`);
}

/** Row constructors are compared column by column, where NULL equals nothing; as records they are compared as wholes. */
function sameKey(shape: TableShape, one: string, other: string): string {
  const names = shape.key.map(i => quoted(shape.columns[i]?.name ?? ''));
  if (!shape.nullKeys) return names.map(n => `${one}.${n} = ${other}.${n}`).join(' AND ');
  const record = (table: string) => `ROW(${names.map(n => `${table}.${n}`).join(', ')})::record`;
  return `${record(one)} = ${record(other)}`;
}

/** `*<>` compares the bytes: -0 is not 0, and 1.0 is not 1.00. */
function unlessSame(shape: TableShape): string {
  const names = shape.columns.filter((_, i) => !shape.key.includes(i)).map(c => quoted(c.name));
  if (names.length === 0) return '';
  const record = (table: string) => `ROW(${names.map(n => `${table}.${n}`).join(', ')})::record`;
  return ` WHERE ${record('o')} *<> ${record('EXCLUDED')}`;
}
