import type { Connection } from './connection.ts';
import { sqlState } from './failure.ts';
import { exchangeRows } from './row-exchange.ts';
import { keyList, quoted, type TableShape, withSuffix } from './table-shape.ts';

export interface SwappedTable {
  readonly schema: string;
  readonly table: string;
}

/** the name of the fresh copy while it is filled */
export function freshName(table: string): string {
  return withSuffix(table, '__millrace');
}

/** The key of a filled table, made at once: much faster than row by row. */
export async function addKey(connection: Connection, table: string, shape: TableShape): Promise<void> {
  const [version] = await connection.run(`SELECT current_setting('server_version_num')::int AS number`);
  const nulls = shape.nullKeys && Number(version?.number) >= 150_000;
  const key = nulls ? `UNIQUE NULLS NOT DISTINCT` : 'PRIMARY KEY';
  await connection.run(`ALTER TABLE ${table} ADD ${key} (${keyList(shape)})`);
}

/** ms for which readers of the table may have to wait for a swap that itself waits */
const HOLD_UP = 100;

/**
 * Within a transaction the fresh table takes the place of the old one. Readers hold it up as long as they read, but it
 * holds up later ones only for a moment at a time. False: views or foreign keys hang on the old table, which has stayed, and its
 * rows were exchanged.
 */
export async function swapTables(
  connection: Connection,
  { schema, table }: SwappedTable,
  shape: TableShape,
  retry: () => Promise<void>,
): Promise<boolean> {
  const old = `${quoted(schema)}.${quoted(table)}`;
  const fresh = `${quoted(schema)}.${quoted(freshName(table))}`;
  for (;;) {
    await connection.run('SAVEPOINT swap');
    try {
      // it ends with the savepoint: rows that are exchanged may wait for other writers
      await connection.run(`SET LOCAL lock_timeout = ${HOLD_UP}`);
      const [found] = await connection.run('SELECT to_regclass($1) IS NOT NULL AS there', [old]);
      if (found?.there === true) await connection.run(`DROP TABLE ${old}`);
      break;
    } catch (error) {
      const code = sqlState(error);
      if (code !== '55P03' && code !== '2BP01') throw error;
      await connection.run('ROLLBACK TO SAVEPOINT swap');
      if (code === '2BP01') {
        await exchangeRows(connection, { old, fresh, shape, tied: [] });
        return false;
      }
      await retry();
    }
  }
  await connection.run(`ALTER TABLE ${fresh} RENAME TO ${quoted(table)}`);
  const names = await connection.run(
    `SELECT c.relname AS name, EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid) AS rule
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass($1)`,
    [old],
  );
  for (const { name, rule } of names) {
    const now = String(name);
    const then = rule === true ? withSuffix(table, '_key') : now.replace(/__millrace$/, '');
    if (then === now) continue;
    const [taken] = await connection.run('SELECT to_regclass($1) IS NOT NULL AS there', [
      `${quoted(schema)}.${quoted(then)}`,
    ]);
    if (taken?.there === true) continue;
    await connection.run(`ALTER INDEX ${quoted(schema)}.${quoted(now)} RENAME TO ${quoted(then)}`);
  }
  return true;
}
