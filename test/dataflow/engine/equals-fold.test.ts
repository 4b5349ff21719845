import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogRecord } from '../../../src/core/log-record.ts';
import { type Cuts, expectEqual, MODES, planOf, ROW_BY_ROW, WHOLE } from './compare.ts';
import { JOIN_SOURCES, joinHistory, strictJoin, viewJoin } from './random-joins.ts';
import { history, SOURCES, statement } from './random-scripts.ts';

/** Laws 1 and 2: whatever the query, the history and the cut into epochs, the engine gives what the reference fold gives. */

const seed = Number(process.env.MILLRACE_SEED ?? 20_261_124);
/** far more than it takes, for machines that are busy */
const TIMEOUT = 180_000;
const RUNS = Number(process.env.MILLRACE_RUNS ?? (process.env.MILLRACE_LONG === '1' ? 3_000 : 80));

/** their histories are long */
const JOIN_RUNS = RUNS / 4;

const cuts: fc.Arbitrary<Cuts> = fc
  .tuple(
    fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
    fc.array(fc.nat(4), { minLength: 60, maxLength: 60 }),
  )
  .map(([cut, restore]) => ({
    name: 'random cuts',
    cutAfter: i => cut[i] === true,
    restoreAfter: i => cut[i] === true && restore[i] === 0,
  }));

/** What of a number of statements the planner took: those that it refuses test nothing. */
class Planned {
  yes = 0;
  readonly no = new Map<string, string>();

  check(text: string, records: readonly LogRecord[], random: Cuts): void {
    const plan = planOf(text);
    if (!('views' in plan)) {
      this.no.set(plan.join('; '), text);
      return;
    }
    this.yes++;
    for (const way of [WHOLE, ROW_BY_ROW, random]) {
      for (const mode of MODES) expectEqual(plan, records, way, mode);
    }
  }

  expectMost(runs: number): void {
    expect(this.yes, [...this.no].map(n => n.join('\n')).join('\n\n')).toBeGreaterThan(runs * 0.6);
  }
}

describe('law 1 and 2', () => {
  test('random queries over random histories, whole, row by row, cut and restored', {
    timeout: TIMEOUT,
  }, () => {
    const planned = new Planned();
    fc.assert(
      fc.property(statement, history, cuts, (sql, records, random) =>
        planned.check(`${SOURCES}${sql}`, records, random),
      ),
      { seed, numRuns: RUNS },
    );
    planned.expectMost(RUNS);
  });

  test('random joins over random histories, whole, row by row, cut and restored', {
    timeout: TIMEOUT,
  }, () => {
    const planned = new Planned();
    fc.assert(
      fc.property(strictJoin, joinHistory, cuts, (sql, records, random) =>
        planned.check(`${JOIN_SOURCES}${sql}`, records, random),
      ),
      { seed, numRuns: JOIN_RUNS },
    );
    planned.expectMost(JOIN_RUNS);
  });

  test('random joins of complete SQL', { timeout: TIMEOUT }, () => {
    const planned = new Planned();
    fc.assert(
      fc.property(viewJoin, joinHistory, cuts, (sql, records, random) =>
        planned.check(`${JOIN_SOURCES}${sql}`, records, random),
      ),
      { seed, numRuns: JOIN_RUNS },
    );
    planned.expectMost(JOIN_RUNS);
  });

  test('a row of a table without its time is dropped, and the one before it stays, wherever the log is cut', () => {
    const plan = planOf(`
      CREATE STREAM s (k STRING KEY, n BIGINT) WITH (kafka_topic = 's', value_format = 'JSON');
      CREATE TABLE q WITH (timestamp = 'at') AS
        SELECT k, COUNT(*) AS c, MIN(n) AS lo, LATEST_BY_OFFSET(n, false) AS at FROM s GROUP BY k;
    `);
    if (!('views' in plan)) throw new Error(plan.join());
    const values = ['{"n":5}', '{"n":null}', '{"n":7}', '{"n":-1}'];
    const records = values.map((value, seq): LogRecord => {
      const bytes = { key: new TextEncoder().encode('1'), value: new TextEncoder().encode(value) };
      return {
        seq,
        topic: 's',
        partition: 0,
        offset: seq,
        timestamp: 0,
        appendTime: 0,
        headers: [],
        ...bytes,
      };
    });
    for (const way of [WHOLE, ROW_BY_ROW]) for (const mode of MODES) expectEqual(plan, records, way, mode);
  });

  test('several views over the same topics at once', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(
        fc.array(statement, { minLength: 2, maxLength: 4 }),
        history,
        cuts,
        (list, records, random) => {
          // names are q, q_g, q_in, ...: numbered, so that the scripts stand side by side
          const scripts = list.map((sql, i) => sql.replaceAll(/\bq(?=_|\b)/g, `q${i}`));
          const planned = scripts.filter(sql => 'views' in planOf(`${SOURCES}${sql}`));
          const plan = planOf(`${SOURCES}${planned.join('\n')}`);
          expect(plan).toHaveProperty('views');
          if ('views' in plan) for (const way of [WHOLE, random]) expectEqual(plan, records, way);
        },
      ),
      { seed, numRuns: RUNS / 5 },
    );
  });
});
