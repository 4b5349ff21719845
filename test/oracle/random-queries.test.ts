import { beforeAll, expect, test } from 'vitest';
import { checkCase } from './check-case.ts';
import { type DuckdbSide, openDuckdb } from './duckdb-side.ts';
import { generateCase, printCase } from './generator/generate.ts';
import { reproducer, shrinkCase } from './generator/shrink.ts';
import { readCorpus, saveToCorpus } from './oracle-case.ts';

/**
 * Random complete views over random histories (design, law 1): at some positions and at the end the reference fold answers
 * what DuckDB answers, and the engine, with epochs cut there and restored once, what the fold answers.
 *
 * `MILLRACE_ORACLE_RUNS=20000 MILLRACE_SEED=7 vitest run test/oracle/random-queries.test.ts` for the long run. What it finds
 * is made small and written to `corpus/`, where it always runs.
 */
const RUNS = Number(process.env.MILLRACE_ORACLE_RUNS ?? (process.env.MILLRACE_LONG === '1' ? 10_000 : 120));
const SEED = Number(process.env.MILLRACE_SEED ?? 20_261_124);

let duckdb: DuckdbSide;

beforeAll(async () => {
  duckdb = await openDuckdb();
});

test.each(readCorpus().map(found => [found.name, found] as const))('found before: %s', async (_, found) => {
  for (const seed of [1, 2, 3]) expect(await checkCase(found, { duckdb, seed })).toBeNull();
});

test(`${RUNS} random queries over random histories from seed ${SEED}: engine = reference fold = DuckDB`, {
  timeout: 3_600_000,
}, async () => {
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    const generated = generateCase(seed);
    const problem = await checkCase(printCase(generated), { duckdb, seed });
    if (problem === null) continue;
    const small = await shrinkCase(generated, problem, g => checkCase(printCase(g), { duckdb, seed }));
    const file = saveToCorpus(printCase(small.case));
    throw new Error(
      `seed ${seed}, written to ${file}:\n${reproducer(printCase(small.case))}\n${small.problem}`,
    );
  }
});
