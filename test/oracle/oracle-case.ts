import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A question for both sides: the same views in Millrace's SQL and in DuckDB's, over the same records. */
export interface OracleCase {
  readonly name: string;
  readonly zone: string;
  readonly views: readonly OracleView[];
  readonly records: readonly (OracleRecord | Tick)[];
}

export interface OracleView {
  readonly name: string;
  /** the query after CREATE VIEW name AS */
  readonly millrace: string;
  /** the same for DuckDB, over `s_rows([...])`, `t_rows([...])` and the views before it */
  readonly duckdb: string;
}

/** One record of the stream's topic `s` or of the table's topic `t`. Its sequence is its place in the list. */
export interface OracleRecord {
  readonly topic: 's' | 't';
  /** append time, ms */
  readonly at: number;
  /** event time, ms */
  readonly time: number;
  readonly key: string | null;
  /** the bytes as text; null is a tombstone */
  readonly value: string | null;
  /** what the value says, as DuckDB reads it, in order of COLUMNS */
  readonly cells: readonly (string | null)[];
  /** a column that cannot be read, or `*` when nothing can */
  readonly wrong?: string | undefined;
}

/** The clock moves, nothing else. */
export interface Tick {
  readonly tick: number;
}

const corpusFolder = join(import.meta.dirname, 'corpus');

export function readCorpus(): readonly OracleCase[] {
  return readdirSync(corpusFolder)
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => JSON.parse(readFileSync(join(corpusFolder, name), 'utf8')) as OracleCase);
}

export function saveToCorpus(found: OracleCase): string {
  const file = join(corpusFolder, `${found.name.replace(/[^a-z0-9]+/gi, '-')}.json`);
  writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
  return file;
}
