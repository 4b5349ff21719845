import type { OracleCase } from '../oracle-case.ts';
import { spelled } from './complete-aggregates.ts';
import { CompleteSql, type SqlSource } from './complete-sql.ts';
import { randomHistory } from './history.ts';
import { Random } from './random.ts';

const columns = [
  { name: 'k', type: 'STRING' },
  { name: 'i', type: 'INT' },
  { name: 't', type: 'STRING' },
] as const;
const SOURCES: readonly SqlSource[] = [
  { name: 's', columns },
  { name: 't', columns },
  {
    name: 'g',
    columns: [
      { name: 'k', type: 'STRING' },
      { name: 'n', type: 'BIGINT' },
    ],
  },
];

/**
 * Where one record may change every row, and set operations above count the copies of each, the reference fold takes the
 * third power of the records, in memory too.
 */
const mostRecords = (sql: string): number => (sql.includes(' OVER (') ? 60 : Number.POSITIVE_INFINITY);

/** A nested query over a random history. */
export function completeCase(seed: number): OracleCase {
  const random = new Random(seed);
  const { sql } = new CompleteSql(random, SOURCES).view();
  // which columns a query reads of a source decides which records it cannot read: not the matter here
  const records = randomHistory(random).filter(r => 'tick' in r || r.wrong === undefined);
  const filled = records.length > 0 ? records.slice(0, mostRecords(sql)) : [{ tick: 1 }];
  const duckdb = spelled(sql, 'duckdb')
    .replaceAll(/@([st])@/g, "$1_rows(['*'])")
    .replaceAll('@g@', "g_rows(['*'])")
    .replaceAll(/\bSTRING\b/g, 'VARCHAR');
  const millrace = spelled(sql, 'millrace').replaceAll(/@(\w)@/g, '$1');
  return {
    name: `complete seed ${seed}`,
    zone: 'UTC',
    views: [{ name: 'v', millrace, duckdb }],
    records: filled,
  };
}
