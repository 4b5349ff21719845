import { expect, test } from 'vitest';
import type { LogRecord } from '../../../src/core/log-record.ts';
import { type Cuts, expectEqual, MODES, planOf } from './compare.ts';

/** Groups by a text that several views group by: its numbers mean the same wherever the text comes from. */

const SOURCES = ['a', 'b']
  .map(
    name => `CREATE STREAM ${name} (id STRING KEY, k STRING, n INT, u INT)
    WITH (KAFKA_TOPIC = '${name}', VALUE_FORMAT = 'JSON', KEY_FORMAT = 'KAFKA', PARTITIONS = 1);`,
  )
  .join('\n');

function records(...all: readonly (readonly [topic: string, value: object])[]): LogRecord[] {
  return all.map(([topic, value], seq) => ({
    seq,
    topic,
    partition: 0,
    offset: seq,
    timestamp: 1_000 + seq,
    appendTime: 1_000 + seq,
    key: Buffer.from(`i${seq}`),
    value: Buffer.from(JSON.stringify(value)),
    headers: [],
  }));
}

/** Epochs of so many records. */
function every(n: number): Cuts {
  return { name: `every ${n}`, cutAfter: i => i % n === n - 1, restoreAfter: () => false };
}

function check(views: string, history: readonly LogRecord[], epochs: Cuts): void {
  const plan = planOf(`${SOURCES}\n${views}`);
  expect(plan).toHaveProperty('views');
  if (!('views' in plan)) return;
  for (const mode of MODES) expectEqual(plan, history, epochs, mode);
}

test('two streams in one relation', () => {
  const grouped = (name: string, what: string): string =>
    `CREATE VIEW ${name} AS SELECT k, ${what} AS x FROM (SELECT k, n FROM a UNION ALL SELECT k, n FROM b) AS both_of GROUP BY k;`;
  const of = (topic: string, ...keys: string[]) => keys.map(k => [topic, { k, n: 1, u: 1 }] as const);
  const history = [
    ...of('a', 'x', 'y'),
    ...of('a', 'x', 'y'),
    ...of('b', 'y', 'x'),
    ...of('b', 'y', 'z'),
    ...of('a', 'z', 'y'),
  ];
  check(grouped('counts', 'COUNT(*)') + grouped('sums', 'SUM(n)'), records(...history), every(2));
});

test('a stream of which one view cannot read a record that others can', () => {
  const views = `
    CREATE VIEW counts AS SELECT k, COUNT(*) AS x FROM a GROUP BY k;
    CREATE VIEW again AS SELECT k, COUNT(*) AS y FROM a GROUP BY k;
    CREATE VIEW others AS SELECT k, SUM(u) AS x FROM a GROUP BY k;`;
  const of = (k: string, u: unknown = 1) => ['a', { k, n: 1, u }] as const;
  const history = [
    ...[of('x'), of('y'), of('z')],
    ...[of('x'), of('y'), of('z')],
    ...[of('z'), of('z', 'many'), of('z')],
    ...[of('y'), of('z', 'many'), of('y')],
    ...[of('x'), of('z'), of('z')],
  ];
  check(views, records(...history), every(3));
});
