import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { DUCKDB_QUERIES } from './duckdb-queries.ts';

/** A record as the log has it. */
export interface NumberedRecord {
  readonly seq: number;
  readonly topic: string;
  readonly arrived: number;
  readonly key: string | null;
  readonly value: string;
}

const TABLES: Readonly<Record<string, { readonly topic: string; readonly columns: string }>> = {
  person: {
    topic: 'nexmark-person',
    columns: `id BIGINT, name VARCHAR, emailAddress VARCHAR, creditCard VARCHAR, city VARCHAR, state VARCHAR,
      dateTime BIGINT, extra VARCHAR`,
  },
  auction: {
    topic: 'nexmark-auction',
    columns: `id BIGINT, itemName VARCHAR, description VARCHAR, initialBid BIGINT, reserve BIGINT,
      dateTime BIGINT, expires BIGINT, seller BIGINT, category BIGINT, extra VARCHAR`,
  },
  bid: {
    topic: 'nexmark-bid',
    columns: `auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, dateTime BIGINT, extra VARCHAR`,
  },
  side_input: { topic: 'nexmark-side-input', columns: 'id BIGINT, value VARCHAR' },
};

/** columns that are instants, in ms in JSON */
const INSTANTS = ['dateTime', 'expires'];

export interface DuckdbAnswers {
  /** rows of a query over the records below a position, sorted, as texts that both sides write alike */
  rows(query: string, position: number): Promise<readonly string[]>;
}

export async function duckdbAnswers(records: readonly NumberedRecord[]): Promise<DuckdbAnswers> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-nexmark-'));
  try {
    await connection.run('SET VARIABLE p = 0');
    for (const [table, { topic, columns }] of Object.entries(TABLES)) {
      const lines = records.filter(r => r.topic === topic).map(line);
      const file = join(folder, `${table}.ndjson`);
      writeFileSync(file, lines.join('\n'));
      await load(connection, { table, file, columns });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const shown = new Map<string, string>();
  return {
    async rows(query, position) {
      await connection.run(`SET VARIABLE p = ${position}`);
      const text = DUCKDB_QUERIES[query] ?? '';
      const columns = shown.get(query) ?? (await texts(connection, text));
      shown.set(query, columns);
      const names = columns.split(', ').map((_, i) => `c${i}`);
      const reader = await connection.runAndReadAll(
        `SELECT ${columns} FROM (${text}) AS answer(${names.join(', ')})`,
      );
      return reader
        .getRows()
        .map(row => row.map(cellText).join(' | '))
        .sort();
    },
  };
}

function line({ seq, arrived, key, value }: NumberedRecord): string {
  const id = key === null ? '' : `,"id":${key}`;
  return `{"seq":${seq},"arrived":${arrived}${id},${value.slice(1)}`;
}

async function load(
  connection: DuckDBConnection,
  { table, file, columns }: { readonly table: string; readonly file: string; readonly columns: string },
): Promise<void> {
  const all = `seq BIGINT, arrived BIGINT, ${columns}`.split(',').map(c => c.trim().split(/\s+/));
  const types = all.map(([name, type]) => `${name}: '${type}'`).join(', ');
  const selected = all.map(([name = '']) =>
    INSTANTS.includes(name) ? `make_timestamp(${name} * 1000) AS ${name}` : name,
  );
  await connection.run(`
    CREATE TABLE all_of_${table} AS SELECT ${selected.join(', ')}
      FROM read_json('${file}', format = 'newline_delimited', columns = {${types}});
    CREATE VIEW ${table} AS SELECT * FROM all_of_${table} WHERE seq < getvariable('p')`);
}

/** The columns c0, c1, ... as texts: instants in ms, numbers of DOUBLE as JavaScript writes them. */
async function texts(connection: DuckDBConnection, query: string): Promise<string> {
  const described = await connection.runAndReadAll(`DESCRIBE ${query}`);
  return described
    .getRows()
    .map(([, type], i) => {
      if (type === 'TIMESTAMP') return `epoch_ms(c${i})::VARCHAR`;
      return type === 'DOUBLE' ? `c${i}` : `c${i}::VARCHAR`;
    })
    .join(', ');
}

function cellText(value: DuckDBValue): string {
  return value === null ? '~' : JSON.stringify(String(value));
}
