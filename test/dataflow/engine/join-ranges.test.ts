import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogRecord } from '../../../src/core/log-record.ts';
import { expectEqual, MODES, planOf, ROW_BY_ROW, WHOLE } from './compare.ts';

/**
 * A comparison of columns beside the equality of a join is answered out of an order of each key's rows, which is made once
 * there are a few of them: the same rows as when every pair is looked at.
 */

const seed = Number(process.env.MILLRACE_SEED ?? 20_261_126);

const SOURCES = `
  CREATE STREAM s (k STRING, n INT, b BIGINT, at TIMESTAMP) WITH (kafka_topic = 's', value_format = 'JSON');
  CREATE TABLE t (id STRING PRIMARY KEY, k STRING, n INT, b BIGINT, at TIMESTAMP)
    WITH (kafka_topic = 't', value_format = 'JSON');`;

const change = fc.record({
  topic: fc.constantFrom('s', 't', 't', 't'),
  id: fc.nat(20),
  k: fc.constantFrom('a', 'a', 'a', 'b', null),
  n: fc.option(fc.nat(6), { freq: 8 }),
  gone: fc.nat(8).map(dice => dice === 0),
});

function recordsOf(
  changes: readonly (typeof change extends fc.Arbitrary<infer T> ? T : never)[],
): LogRecord[] {
  return changes.map(({ topic, id, k, n, gone }, seq) => ({
    seq,
    topic,
    partition: 0,
    offset: seq,
    timestamp: seq * 100,
    appendTime: seq,
    key: topic === 't' ? Buffer.from(String(id)) : null,
    value: topic === 't' && gone ? null : Buffer.from(JSON.stringify({ k, n, b: n, at: n })),
    headers: [],
  }));
}

test.each([
  'SELECT x.id, y.id AS other FROM t x JOIN t y ON x.k = y.k WHERE x.n >= y.n',
  'SELECT x.id, y.id AS other FROM t x JOIN t y ON x.k = y.k AND x.b < y.b',
  'SELECT x.id, y.id AS other FROM t x LEFT JOIN t y ON x.k = y.k AND y.at > x.at',
  'SELECT x.id, y.id AS other FROM t x FULL JOIN t y ON x.k = y.k AND x.n <= y.n AND x.n < 5',
  'SELECT s.n, t.id FROM s JOIN t ON s.k = t.k WHERE s.n BETWEEN t.n AND t.b',
])('%s', { timeout: 120_000 }, sql => {
  const plan = planOf(`${SOURCES} CREATE VIEW v AS ${sql};`);
  if (!('views' in plan)) throw new Error(plan.join('\n'));
  let long = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 5, maxLength: 60, size: 'max' }), changes => {
      const records = recordsOf(changes);
      if (records.length > 30) long++;
      const cuts = {
        name: 'cut and restored',
        cutAfter: (i: number) => i % 7 === 3,
        restoreAfter: (i: number) => i % 21 === 3,
      };
      for (const way of [WHOLE, ROW_BY_ROW, cuts]) expectEqual(plan, records, way, MODES[1]);
    }),
    { seed, numRuns: 25 },
  );
  expect(long).toBeGreaterThan(0);
});
