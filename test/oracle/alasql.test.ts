import alasql from 'alasql';
import { expect, test } from 'vitest';
import { Random } from './generator/random.ts';
import { COLUMNS } from './generator/types.ts';
import { engineAt, foldAt, prepare } from './millrace-side.ts';
import type { OracleCase, OracleRecord } from './oracle-case.ts';

/**
 * A third opinion on simple aggregates over data without NULLs, on which alasql can be relied; DuckDB is the oracle of
 * everything else.
 */
const SEED = Number(process.env.MILLRACE_SEED ?? 20_261_124);

interface Sale {
  readonly shop: string;
  readonly amount: number;
}

function randomSales(random: Random): readonly Sale[] {
  return Array.from({ length: 500 }, () => ({
    shop: random.of(['Bonn', 'Kiel', 'Ulm', 'Ahlen']),
    amount: random.int(-1_000, 1_000),
  }));
}

function asCase(sales: readonly Sale[]): OracleCase {
  const records = sales.map(
    ({ shop, amount }, n): OracleRecord => ({
      topic: 's',
      at: n,
      time: n,
      key: null,
      value: JSON.stringify({ t: shop, i: amount }),
      cells: COLUMNS.map(() => null),
    }),
  );
  const millrace = 'SELECT t, COUNT(*), SUM(i), MIN(i), MAX(i) FROM s WHERE i > -900 GROUP BY t';
  return { name: 'sales', zone: 'UTC', views: [{ name: 'v1', millrace, duckdb: '' }], records };
}

test(`COUNT, SUM, MIN and MAX by group are what alasql computes (seed ${SEED})`, () => {
  const sales = randomSales(new Random(SEED));
  const rows = alasql(
    'SELECT shop, COUNT(*) AS n, SUM(amount) AS summed, MIN(amount) AS low, MAX(amount) AS high FROM ? WHERE amount > -900 GROUP BY shop',
    [sales],
  ) as { shop: string; n: number; summed: number; low: number; high: number }[];
  const expected = rows
    .map(r => [r.shop, r.n, r.summed, r.low, r.high].map(v => JSON.stringify(String(v))).join(' | '))
    .sort();
  expect(expected).toHaveLength(4);
  const prepared = prepare(asCase(sales));
  const [fold] = foldAt(prepared, [sales.length]);
  const engine = engineAt(prepared, [100, 317, sales.length], 1).at(-1);
  expect(fold?.rows.get('v1')).toEqual(expected);
  expect(engine?.rows.get('v1')).toEqual(expected);
});
