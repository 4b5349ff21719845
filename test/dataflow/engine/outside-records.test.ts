import { expect, test } from 'vitest';
import { type Header, type LogRecord, WRITTEN_BY } from '../../../src/core/log-record.ts';
import { rowAt, selectedRows } from '../../../src/core/vec.ts';
import { createEngine } from '../../../src/dataflow/engine/engine.ts';
import { standardLibrary } from '../../../src/expr/library.ts';
import { blockOf } from '../../../src/log/record-block.ts';
import { planOf, ZONE } from './compare.ts';

const utf8 = new TextEncoder();

function record(seq: number, topic: string, value: string, headers: readonly Header[] = []): LogRecord {
  const bytes = { key: null, value: utf8.encode(value) };
  return { seq, topic, partition: 0, offset: seq, timestamp: 0, appendTime: 0, headers, ...bytes };
}

test('a stream that INSERT INTO writes reads records of its topic from outside, but not its own again', () => {
  const plan = planOf(`
    CREATE STREAM a (v INT) WITH (kafka_topic = 'a', value_format = 'JSON');
    CREATE STREAM both (v INT) WITH (kafka_topic = 'both', value_format = 'JSON');
    INSERT INTO both SELECT v + 100 AS v FROM a;
  `);
  if (!('views' in plan)) throw new Error(plan.join());
  const [view] = plan.views;
  const engine = createEngine({ plan, functions: standardLibrary, zone: ZONE });
  const output = engine.step(
    blockOf([
      record(0, 'a', '{"v":1}'),
      record(1, 'both', '{"v":101}', [{ name: WRITTEN_BY, value: utf8.encode('both') }]),
      record(2, 'both', '{"v":7}'),
      record(3, 'both', '{"v":"undecodable"}', [{ name: WRITTEN_BY, value: utf8.encode('both') }]),
    ]),
  );
  const rows = (output.changes.get(view?.name ?? '') ?? []).flatMap(batch =>
    [...selectedRows(batch)].map(i => [batch.seq[i], ...rowAt(batch, i)]),
  );
  expect(rows).toEqual([
    [0, 101],
    [2, 7],
  ]);
  expect(output.ledger).toEqual([]);
});
