import { expect, test } from 'vitest';
import { columnsEngine, foldEngine } from '../../../src/cli/test/case-engine.ts';
import { createEngine } from '../../../src/dataflow/engine/engine.ts';
import type { CaseInput } from '../../cases/case-file.ts';
import { prepareCase, runCut, runWhole } from '../../cases/case-runner.ts';
import { randomCuts } from '../../cases/random-cuts.ts';
import { Random } from '../../oracle/generator/random.ts';

/**
 * Window functions with any frame over small partitions whose rows come, change and go: the engine, which computes what a
 * change touches, gives the changes of the fold, which computes everything; cut and restored anywhere, its rows.
 * `MILLRACE_SEED` begins elsewhere, `MILLRACE_ORACLE_RUNS` says how many.
 */
const RUNS = Number(process.env.MILLRACE_ORACLE_RUNS ?? (process.env.MILLRACE_LONG === '1' ? 10_000 : 150));
const SEED = Number(process.env.MILLRACE_SEED ?? 20_261_124);

const TABLE =
  "CREATE TABLE ta (id INT PRIMARY KEY, a STRING, n INT, x DECIMAL(6, 2)) WITH (kafka_topic='ta', value_format='JSON');";

function randomBounds(random: Random): string {
  const at = [-3, -2, -1, 0, 1, 2, 3].map(i => ({ i, text: bound(i) }));
  const ends = [{ i: -9, text: 'UNBOUNDED PRECEDING' }, ...at, { i: 9, text: 'UNBOUNDED FOLLOWING' }];
  const from = random.of(ends.slice(0, -1));
  const to = random.of(ends.slice(1).filter(end => end.i >= from.i));
  return `BETWEEN ${from.text} AND ${to.text}`;
}

function bound(i: number): string {
  if (i === 0) return 'CURRENT ROW';
  return i < 0 ? `${-i} PRECEDING` : `${i} FOLLOWING`;
}

function randomCall(random: Random): string {
  const partition = random.of(['', 'PARTITION BY a ']);
  const order = random.of(['', 'ORDER BY n', 'ORDER BY n DESC', 'ORDER BY id', 'ORDER BY a, n NULLS FIRST']);
  const single = random.of(['n', 'n DESC', 'n NULLS FIRST', 'n DESC NULLS LAST', 'id', 'x', 'x DESC']);
  const range = random.of([
    'BETWEEN CURRENT ROW AND CURRENT ROW',
    'BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
    'UNBOUNDED PRECEDING',
    'BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING',
  ]);
  const frame = random.of([
    '',
    `ROWS ${randomBounds(random)}`,
    `ROWS ${randomBounds(random)}`,
    `RANGE ${range}`,
  ]);
  const filter = random.of(['', '', ' FILTER (WHERE id > 2)']);
  const framed = random.of([
    `SUM(n)${filter}`,
    `COUNT(*)${filter}`,
    `MAX(n)${filter}`,
    `AVG(n)${filter}`,
    'FIRST_VALUE(id)',
    'LAST_VALUE(id)',
    'NTH_VALUE(id, 2)',
  ]);
  const ranked = random.of([
    'ROW_NUMBER()',
    'RANK()',
    'DENSE_RANK()',
    'PERCENT_RANK()',
    'CUME_DIST()',
    'NTILE(3)',
    `${random.of(['LAG', 'LEAD'])}(id, ${random.int(0, 3)}, -1)`,
  ]);
  const near = random.chance(0.5)
    ? `ORDER BY ${single} RANGE ${randomBounds(random)}`
    : `${order || 'ORDER BY n'} GROUPS ${randomBounds(random)}`;
  if (random.chance(0.3)) return `${framed} OVER (${partition}${near})`;
  return random.chance(0.7)
    ? `${framed} OVER (${partition}${order} ${frame})`
    : `${ranked} OVER (${partition}${order})`;
}

function randomRecords(random: Random): readonly CaseInput[] {
  const keys = random.int(2, 9);
  return Array.from({ length: random.int(4, 30) }, () => {
    const key = random.int(1, keys);
    const value = {
      a: random.of(['x', 'x', 'y']),
      n: random.of([null, 0, 1, 1, 2, 3, 7]),
      x: random.of([null, 0.5, 1, 2.25, 2.5]),
    };
    return { topic: 'ta', key, value: random.chance(0.25) ? null : value };
  });
}

test(`${RUNS} random window functions over random histories from seed ${SEED}: engine = fold`, () => {
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    const random = new Random(seed);
    const calls = Array.from({ length: random.int(1, 3) }, (_, i) => `${randomCall(random)} AS c${i}`);
    const view = `CREATE VIEW v AS SELECT id, ${calls.join(', ')} FROM ta;`;
    const found = { name: view, statements: [TABLE, view], records: randomRecords(random) };
    const about = `seed ${seed}: ${view} over ${JSON.stringify(found.records)}`;
    const fold = prepareCase(found);
    const expected = runWhole(fold, foldEngine(fold.options));
    const engine = prepareCase(found);
    expect(runWhole(engine, columnsEngine(createEngine)(engine.options), 1), about).toEqual(expected);
    const cut = prepareCase(found);
    const cuts = randomCuts(seed, cut.log.end());
    expect(runCut(cut, cuts, createEngine).rows, about).toEqual(expected.rows);
  }
}, 3_600_000);
