import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { MACROS } from './generator/operators.ts';
import { COLUMNS, duckdbType } from './generator/types.ts';
import type { OracleCase } from './oracle-case.ts';
import { clockAt, startOfDay } from './zone-days.ts';

export interface DuckdbSide {
  load(test: OracleCase): Promise<void>;
  /** rows of a view at a position, sorted, as texts that both sides write alike */
  rows(view: string, position: number): Promise<readonly string[]>;
}

const columns = COLUMNS.map(c => `${c.name} ${duckdbType(c.type)}`).join(', ');
const names = COLUMNS.map(c => c.name).join(', ');

/** What both sources, and the table that Millrace derives from one, are at position `p`, given the columns in which a record must be readable. */
const SETUP = `
  SET VARIABLE p = 0;
  SET VARIABLE now = TIMESTAMP '1970-01-01';
  SET VARIABLE midnight = TIMESTAMP '1970-01-01';
  SET VARIABLE today = DATE '1970-01-01';
  CREATE TABLE midnights (date_of DATE, instant TIMESTAMP);
  CREATE TABLE records (
    seq BIGINT, topic VARCHAR, rowtime BIGINT, k VARCHAR, gone BOOLEAN, wrong VARCHAR, ${columns});
  CREATE MACRO readable(topic_name, used) AS TABLE
    SELECT * FROM records
    WHERE topic = topic_name AND seq < getvariable('p') AND (wrong IS NULL OR NOT list_contains(used, wrong));
  CREATE MACRO s_rows(used) AS TABLE SELECT seq, rowtime, k, ${names} FROM readable('s', used);
  CREATE MACRO t_rows(used) AS TABLE
    SELECT seq, rowtime, k, ${names}
    FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY seq DESC) AS newest FROM readable('t', used))
    WHERE newest = 1 AND NOT gone;
  CREATE MACRO g_rows(used) AS TABLE
    SELECT k, count(*) AS n, count(i) AS c, arg_max(t, seq) AS l
    FROM readable('s', ['*', 'i', 't']) WHERE k IS NOT NULL AND NOT gone GROUP BY k;
  ${MACROS}
`;

export async function openDuckdb(): Promise<DuckdbSide> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  // TRY_CAST(x AS INTEGER) >= -1 would be rewritten to x >= -1, which is true where the cast gives NULL
  await connection.run('PRAGMA disable_optimizer');
  await connection.run(SETUP);
  let test: OracleCase | null = null;
  let loadedZone = '';
  /** columns of each view as texts */
  const shown = new Map<string, string>();
  return {
    async load(next) {
      const views = (test?.views ?? []).map(v => `DROP VIEW IF EXISTS ${v.name};`).reverse();
      await connection.run(`${views.join(' ')} DELETE FROM records;`);
      if (next.zone !== loadedZone) await loadMidnights(connection, next.zone);
      loadedZone = next.zone;
      test = next;
      const rows = next.records.flatMap((record, seq) => ('tick' in record ? [] : [valuesOf(record, seq)]));
      if (rows.length > 0) await connection.run(`INSERT INTO records VALUES ${rows.join(', ')}`);
      for (const { name, duckdb } of next.views) {
        await connection.run(`CREATE VIEW ${name} AS ${duckdb}`);
        shown.set(name, await texts(connection, name));
      }
    },
    async rows(view, position) {
      const last = test?.records[position - 1];
      const now = last === undefined ? 0 : 'tick' in last ? last.tick : last.at;
      const { today, midnight } = clockAt(test?.zone ?? 'UTC', now);
      await connection.run(`SET VARIABLE p = ${position}; SET VARIABLE now = epoch_ms(${now});
        SET VARIABLE today = DATE '${today}'; SET VARIABLE midnight = epoch_ms(${midnight});`);
      const reader = await connection.runAndReadAll(`SELECT ${shown.get(view)} FROM ${view}`);
      return reader
        .getRows()
        .map(row => row.map(cellText).join(' | '))
        .sort();
    },
  };
}

type Values = Exclude<OracleCase['records'][number], { readonly tick: number }>;

function valuesOf({ topic, time, key, value, wrong, cells }: Values, seq: number): string {
  const typed = COLUMNS.map((c, i) => `CAST(${quoted(cells[i] ?? null)} AS ${duckdbType(c.type)})`);
  return `(${[seq, quoted(topic), time, quoted(key), value === null, quoted(wrong ?? null), ...typed].join(', ')})`;
}

function quoted(text: string | null): string {
  return text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`;
}

async function loadMidnights(connection: DuckDBConnection, zone: string): Promise<void> {
  const days = Array.from({ length: 60 }, (_, i) =>
    new Date(Date.UTC(2026, 2, 1) + i * 86_400_000).toISOString().slice(0, 10),
  );
  const rows = [...days, '2024-02-29'].map(day => `(DATE '${day}', epoch_ms(${startOfDay(zone, day)}))`);
  await connection.run(`DELETE FROM midnights; INSERT INTO midnights VALUES ${rows.join(', ')}`);
}

/** Columns as DuckDB writes them, but numbers of DOUBLE (JavaScript's text) and instants (ms). */
async function texts(connection: DuckDBConnection, view: string): Promise<string> {
  const described = await connection.runAndReadAll(`DESCRIBE ${view}`);
  return described
    .getRows()
    .map(([name, type]) => {
      if (type === 'TIMESTAMP') return `epoch_ms(${String(name)})::VARCHAR`;
      return type === 'DOUBLE' ? String(name) : `${String(name)}::VARCHAR`;
    })
    .join(', ');
}

function cellText(value: DuckDBValue): string {
  if (value === null) return '~';
  return typeof value === 'string' ? JSON.stringify(value) : JSON.stringify(String(value));
}
