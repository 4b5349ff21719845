import type { Connection } from './connection.ts';
import { quoted, withSuffix } from './table-shape.ts';

/**
 * What the table before had been given beside its rows, for the fresh one: indexes, grants, comments. Returns what could not
 * be carried over.
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
  const more = await connection.run(COLUMN_GRANTS_AND_COMMENTS, [old, fresh]);
  for (const { what, statement } of more) await attempt(String(what), String(statement));
  const others = await connection.run(
    `SELECT 'trigger ' || tgname AS what FROM pg_trigger WHERE tgrelid = to_regclass($1) AND NOT tgisinternal
     UNION ALL
     SELECT 'constraint ' || conname FROM pg_constraint WHERE conrelid = to_regclass($1) AND contype IN ('c', 'f', 'x')`,
    [old],
  );
  left.push(...others.map(o => String(o.what)));
  return left;
}

const COLUMN_GRANTS_AND_COMMENTS = `
  SELECT a.privilege_type || ' (' || t.attname || ')' AS what,
         format('GRANT %s (%I) ON %s TO %s%s', a.privilege_type, t.attname, $2::text,
           CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END,
           CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END) AS statement
    FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid, aclexplode(t.attacl) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee
   WHERE t.attrelid = to_regclass($1) AND t.attnum > 0 AND NOT t.attisdropped AND a.grantee <> c.relowner
  UNION ALL
  SELECT 'comment' || COALESCE(' of column ' || t.attname, ''),
         CASE WHEN t.attname IS NULL THEN format('COMMENT ON TABLE %s IS %L', $2::text, d.description)
              ELSE format('COMMENT ON COLUMN %s.%I IS %L', $2::text, t.attname, d.description) END
    FROM pg_description d
    LEFT JOIN pg_attribute t ON t.attrelid = d.objoid AND t.attnum = d.objsubid AND d.objsubid > 0
   WHERE d.classoid = 'pg_class'::regclass AND d.objoid = to_regclass($1) AND t.attisdropped IS NOT TRUE`;
