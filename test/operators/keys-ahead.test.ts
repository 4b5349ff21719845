import { expect, it } from 'vitest';
import { columnsEngine, foldEngine } from '../../src/cli/test/case-engine.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import type { CaseInput } from '../cases/case-file.ts';
import { prepareCase, runCut, runWhole } from '../cases/case-runner.ts';

/** More keys than a table has before its slots are loaded ahead. */
const KEYS = 6000;

/** Rows of both tables that come, change and go: a key's slot is let go and given again while others wait for it. */
function changes(keyOf: (n: number) => unknown): CaseInput[] {
  const fill = Array.from(
    { length: KEYS * 2 },
    (_, i): CaseInput => ({
      topic: i % 2 === 0 ? 'a' : 'b',
      key: keyOf(i >> 1),
      value: { v: i, t: `text ${i}` },
      timestamp: i,
    }),
  );
  const then = Array.from({ length: 3000 }, (_, i): CaseInput => {
    const key = keyOf((i * 7919) % (KEYS + 40));
    const topic = i % 3 === 0 ? 'a' : 'b';
    if (i % 4 === 0) return { topic, key, value: null, timestamp: i };
    // texts of other lengths, and NULLs
    const value = { v: i % 5 === 0 ? null : i, t: i % 7 === 0 ? null : 'x'.repeat(i % 30) };
    return { topic, key: i % 100 === 1 ? null : key, value, timestamp: i };
  });
  return [...fill, ...then];
}

it.each([
  ['JOIN', 'a.id', 'STRING'],
  ['FULL JOIN', 'ROWKEY AS id', 'STRING'],
  ['LEFT JOIN', 'a.id', 'INT'],
])('tables of many keys, %s: as the fold, whole and restored', (type, key, of) => {
  const prepared = prepareCase({
    name: 'many keys',
    statements: [
      `CREATE TABLE a (id ${of} PRIMARY KEY, v INT, t STRING) WITH (kafka_topic = 'a', value_format = 'JSON');`,
      `CREATE TABLE b (id ${of} PRIMARY KEY, v INT, t STRING) WITH (kafka_topic = 'b', value_format = 'JSON');`,
      `CREATE TABLE j AS SELECT ${key}, a.v AS v, b.v AS w, a.t AS t, b.t AS u FROM a ${type} b ON a.id = b.id;`,
    ],
    records: changes(n => (of === 'INT' ? n : `key ${n}`)),
  });
  const fold = runWhole(prepared, foldEngine(prepared.options));
  const end = prepared.log.end();
  expect(runWhole(prepared, columnsEngine(createEngine)(prepared.options))).toEqual(fold);
  expect(runCut(prepared, [KEYS * 2 + 500, end - 70], createEngine)).toEqual(fold);
});
