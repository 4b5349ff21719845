import type { OracleCase, OracleRecord, Tick } from '../oracle-case.ts';
import { randomHistory } from './history.ts';
import { duckdbQuery, millraceQuery } from './print.ts';
import { Random } from './random.ts';
import type { View } from './view.ts';
import { randomViews } from './views.ts';

/** A case before it is printed: the shrinker works on this. */
export interface GeneratedCase {
  readonly seed: number;
  readonly zone: string;
  readonly views: readonly View[];
  readonly records: readonly (OracleRecord | Tick)[];
}

const ZONES = ['UTC', 'UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata'];

export function generateCase(seed: number): GeneratedCase {
  const random = new Random(seed);
  return { seed, zone: random.of(ZONES), views: randomViews(random), records: randomHistory(random) };
}

export function printCase({ seed, zone, views, records }: GeneratedCase): OracleCase {
  return {
    name: `seed ${seed}`,
    zone,
    views: views.map(view => ({
      name: view.name,
      millrace: millraceQuery(view),
      duckdb: duckdbQuery(view),
    })),
    records,
  };
}
