import { expect } from 'vitest';
import { NEXMARK_QUERIES } from '../../bench/nexmark/queries.ts';
import { duckdbAnswers } from './duckdb-answers.ts';
import { engineAnswers, type HistoryOptions, nexmarkHistory, nexmarkOptions } from './millrace-answers.ts';

/** of the events, where answers are compared */
const SHARES = [0.21, 0.5, 0.83, 1];

/** Every query at three positions in between and at the end: the same rows as DuckDB's, and nothing in the ledger. */
export async function checkNexmark(history: HistoryOptions & { readonly epoch: number }): Promise<void> {
  const options = nexmarkOptions();
  const { log, records } = nexmarkHistory(history);
  const begin = records.length - history.count;
  const positions = SHARES.map(share => begin + Math.floor(history.count * share));
  const duckdb = await duckdbAnswers(records);
  const answers = engineAnswers(options, log, { positions, epoch: history.epoch });
  for (const [i, position] of positions.entries()) {
    for (const { name } of NEXMARK_QUERIES) {
      const expected = await duckdb.rows(name, position);
      const rows = answers[i]?.rows.get(name) ?? [];
      const where = `${name} at ${position}: ${rows.length} rows, DuckDB has ${expected.length}`;
      expect.soft(difference(rows, expected), where).toEqual(SAME);
      // q2 picks few auctions: their numbers are dividable by 123
      if (i === positions.length - 1) expect(expected.length, `rows of ${name}`).toBeGreaterThan(0);
    }
    expect(answers[i]?.ledger).toEqual([]);
  }
}

const SAME = { only: [], onlyInDuckdb: [] };

/** The first rows that one side has more often than the other. */
function difference(rows: readonly string[], expected: readonly string[]) {
  return { only: without(rows, expected).slice(0, 5), onlyInDuckdb: without(expected, rows).slice(0, 5) };
}

function without(rows: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const row of others) counts.set(row, (counts.get(row) ?? 0) + 1);
  return rows.filter(row => {
    const count = counts.get(row) ?? 0;
    counts.set(row, count - 1);
    return count <= 0;
  });
}
