import fc from 'fast-check';
import { expect, test } from 'vitest';
import { spelled } from '../../oracle/generator/complete-aggregates.ts';
import { CompleteSql, type SqlSource } from '../../oracle/generator/complete-sql.ts';
import { Random } from '../../oracle/generator/random.ts';
import { type Cuts, expectEqual, MODES, planOf, ROW_BY_ROW, WHOLE } from './compare.ts';
import { JOIN_SOURCES, joinHistory } from './random-joins.ts';

/** Laws 1 and 2 for nested queries of complete SQL: the engine gives what the reference fold gives, wherever the log is cut. */

const seed = Number(process.env.MILLRACE_SEED ?? 20_261_124);
/** their histories are long, and rows meet many others */
const RUNS = Number(process.env.MILLRACE_RUNS ?? (process.env.MILLRACE_LONG === '1' ? 3_000 : 200)) / 10;

const SQL_SOURCES: readonly SqlSource[] = [
  {
    name: 's',
    columns: [
      { name: 'id', type: 'STRING' },
      { name: 'a', type: 'INT' },
      { name: 't', type: 'STRING' },
    ],
  },
  {
    name: 'r',
    columns: [
      { name: 'id', type: 'STRING' },
      { name: 'a', type: 'INT' },
    ],
  },
  ...['tab', 'dim'].map(
    (name): SqlSource => ({
      name,
      columns: [
        { name: 'id', type: 'STRING' },
        { name: 'x', type: 'INT' },
        { name: 'y', type: 'STRING' },
      ],
    }),
  ),
];

const cuts: fc.Arbitrary<Cuts> = fc
  .tuple(
    fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
    fc.array(fc.nat(3), { minLength: 60, maxLength: 60 }),
  )
  .map(([cut, restore]) => ({
    name: 'random cuts',
    cutAfter: i => cut[i] === true,
    restoreAfter: i => cut[i] === true && restore[i] === 0,
  }));

test('nested queries, whole, row by row, cut and restored', { timeout: 180_000 }, () => {
  fc.assert(
    fc.property(fc.nat(), joinHistory, cuts, (query, records, random) => {
      const { sql } = new CompleteSql(new Random(query), SQL_SOURCES).view();
      const text = spelled(sql, 'millrace').replaceAll(/@(\w+)@/g, '$1');
      const plan = planOf(`${JOIN_SOURCES} CREATE VIEW v AS ${text};`);
      expect(plan, sql).toHaveProperty('views');
      if (!('views' in plan)) return;
      for (const way of [WHOLE, ROW_BY_ROW, random]) {
        for (const mode of MODES) expectEqual(plan, records, way, mode);
      }
    }),
    { seed, numRuns: RUNS },
  );
});
