import { MillraceError } from '../../core/errors.ts';
import type { Connection } from './connection.ts';
import { sqlState } from './failure.ts';
import { foundTable, misfits } from './found-table.ts';
import { columnList, keyList, onConflict, quoted, type TableShape } from './table-shape.ts';

export interface SwappedTable {
  readonly schema: string;
  readonly table: string;
}

/** PostgreSQL cuts longer names */
const LONGEST_NAME = 63;

export function withSuffix(name: string, suffix: string): string {
  let cut = name;
  while (Buffer.byteLength(cut) > LONGEST_NAME - suffix.length) cut = cut.slice(0, -1);
  return cut + suffix;
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

/**
 * What the table before had been given beside its rows, for the fresh one: indexes, comment, owner's grants. Returns what could
 * not be carried over.
 */
export async function carryOver(
  connection: Connection,
  old: string,
  fresh: string,
): Promise<readonly string[]> {
  const left: string[] = [];
  const attempt = async (what: string, statement: string) => {
    await connection.run('SAVEPOINT carry');
    try {
      await connection.run(statement);
    } catch (error) {
      await connection.run('ROLLBACK TO SAVEPOINT carry');
      left.push(`${what}: ${(error as Error).message}`);
    }
    await connection.run('RELEASE SAVEPOINT carry');
  };
  const indexes = await connection.run(
    `SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition, i.indisunique AS "unique",
            format('CREATE %sINDEX %I ON ', CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname) AS head,
            format('%I.%I', s.nspname, t.relname) AS qualified, format('%I', t.relname) AS plain
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
       JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace s ON s.oid = t.relnamespace
      WHERE i.indrelid = to_regclass($1)
        AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)`,
    [old],
  );
  for (const { name, definition, unique, head, qualified, plain } of indexes) {
    // names may hold anything, ` USING ` too: only what stands behind them is taken
    const before = [qualified, plain].map(table => `${String(head)}${String(table)}`);
    const named = before.find(b => String(definition).startsWith(`${b} USING `));
    if (named === undefined) {
      left.push(`index ${String(name)}`);
      continue;
    }
    const how = String(definition).slice(named.length);
    const own = quoted(withSuffix(String(name), '__millrace'));
    await attempt(
      `index ${String(name)}`,
      `CREATE ${unique === true ? 'UNIQUE ' : ''}INDEX ${own} ON ${fresh}${how}`,
    );
  }
  const grants = await connection.run(
    `SELECT a.privilege_type AS privilege, a.is_grantable AS grantable,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END AS grantee
       FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
      WHERE c.oid = to_regclass($1) AND a.grantee <> c.relowner`,
    [old],
  );
  for (const { privilege, grantable, grantee } of grants) {
    const option = grantable === true ? ' WITH GRANT OPTION' : '';
    await attempt(
      `${String(privilege)} of ${String(grantee)}`,
      `GRANT ${String(privilege)} ON ${fresh} TO ${String(grantee)}${option}`,
    );
  }
  return left;
}

/** ms for which readers of the table may have to wait for a swap that itself waits */
const HOLD_UP = 100;

/**
 * Within a transaction the fresh table takes the place of the old one. Readers hold it up as long as they read, but it
 * holds up later ones only for a moment at a time.
 */
export async function swapTables(
  connection: Connection,
  { schema, table }: SwappedTable,
  shape: TableShape,
  retry: () => Promise<void>,
): Promise<void> {
  const old = `${quoted(schema)}.${quoted(table)}`;
  const fresh = `${quoted(schema)}.${quoted(freshName(table))}`;
  await connection.run(`SET LOCAL lock_timeout = ${HOLD_UP}`);
  for (;;) {
    await connection.run('SAVEPOINT swap');
    try {
      const [found] = await connection.run('SELECT to_regclass($1) IS NOT NULL AS there', [old]);
      if (found?.there === true) await connection.run(`DROP TABLE ${old}`);
      break;
    } catch (error) {
      const code = sqlState(error);
      if (code !== '55P03' && code !== '2BP01') throw error;
      await connection.run('ROLLBACK TO SAVEPOINT swap');
      if (code === '2BP01') {
        await replaceRows(connection, { old, fresh, shape });
        return;
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
}

/**
 * Views or foreign keys hang on the old table: it stays, and its rows become the new ones in this same transaction. A row
 * whose key is in both is changed where it stands: what refers to it must not notice.
 */
async function replaceRows(
  connection: Connection,
  { old, fresh, shape }: { readonly old: string; readonly fresh: string; readonly shape: TableShape },
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
    throw new MillraceError(
      'sink_refused',
      `${old} has other columns or another key now, and something in the database depends on the table as it is`,
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
