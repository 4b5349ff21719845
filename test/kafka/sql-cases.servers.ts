import { beforeAll, expect, it } from 'vitest';
import { foldEngine } from '../../src/cli/test/case-engine.ts';
import { readCaseFiles, type SqlCase } from '../cases/case-file.ts';
import { runWhole } from '../cases/case-runner.ts';
import { sqlCases } from '../cases/cases.contract.ts';
import { sharedBroker } from '../servers/shared-broker.ts';
import { ReplicatedCases } from './replicated-cases.ts';
import { Topics } from './topics.ts';

/** The SQL cases over records that came through Kafka: their bytes, keys, headers and times are what they were. */
const long = process.env.MILLRACE_LONG === '1';
/** what depends most on times, keys and the order of topics */
const SHORT = ['joins.json', 'sources.json', 'stateless.json', 'views.json', 'windows.json'];
const before1970 = (test: SqlCase) => (test.records ?? []).some(r => (r.timestamp ?? 0) < 0);
const files = readCaseFiles()
  .filter(({ file }) => long || SHORT.includes(file))
  .map(file => ({ ...file, cases: file.cases.filter(c => c.error === undefined) }));
let replicated: ReplicatedCases;

beforeAll(async () => {
  const topics = new Topics((await sharedBroker()).address);
  replicated = await ReplicatedCases.layDown(
    files.flatMap(({ cases }) => cases),
    topics,
  );
}, 240_000);

for (const file of files) {
  const cases = file.cases.filter(c => !before1970(c));
  sqlCases({ ...file, cases }, test => replicated.prepared(test), long ? 'all' : 'few');
}

it.each(files.flatMap(({ cases }) => cases.filter(before1970)))('what is not promised: $name', test => {
  const prepared = replicated.prepared(test);
  // Kafka has no time before 1970: -1 is no time at all
  expect(Math.min(...[...prepared.log.read(0)].flatMap(block => [...block.timestamp]))).toBe(0);
  expect(runWhole(prepared, foldEngine(prepared.options)).rows).not.toEqual(test.expect?.rows);
});
