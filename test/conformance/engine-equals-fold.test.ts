import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { columnsEngine, foldEngine } from '../../src/cli/test/case-engine.ts';
import { type KsqldbCase, readKsqldbCases } from '../../src/cli/test/ksqldb-case.ts';
import { encodeCaseRecord } from '../../src/cli/test/ksqldb-records.ts';
import { type PlannedCase, planCase } from '../../src/cli/test/plan-case.ts';
import { sourceFormat } from '../../src/cli/test/topic-formats.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { MillraceError, MillraceErrors } from '../../src/core/errors.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { type PreparedCase, runCut, runWhole } from '../cases/case-runner.ts';
import { randomCuts } from '../cases/random-cuts.ts';
import { testFunctions } from './test-functions.ts';

/**
 * Every conformance case that can be planned, fed to the engine whole and cut anywhere: rows, ledger and what feeds topics
 * must be those of the fold. (BAD_UDF counts its calls, so its cases have no such answer.)
 */
const folder = join(process.env.MILLRACE_CONFORMANCE ?? '', 'ksqldb');
const present = process.env.MILLRACE_CONFORMANCE !== undefined && existsSync(folder);
const functions = standardLibrary.with(testFunctions);

it.runIf(present)('the engine equals the fold on every case, whole and cut', () => {
  let compared = 0;
  for (const file of readdirSync(folder).filter(name => name.endsWith('.json'))) {
    for (const [i, test] of readKsqldbCases(join(folder, file)).entries()) {
      const planned = plannedOrNull(test);
      if (planned === null || /\bbad_udf\(/i.test(test.statements.join())) continue;
      compared++;
      expectEqual(prepared(test, planned), `${file}: ${test.name}`, i);
    }
  }
  expect(compared).toBeGreaterThan(450);
});

function expectEqual(test: PreparedCase, name: string, seed: number): void {
  const fold = runWhole(test, foldEngine(test.options));
  const cuts = randomCuts(seed, test.log.end());
  const ways = {
    whole: runWhole(test, columnsEngine(createEngine)(test.options)),
    [`cut at ${cuts.join()}`]: runCut(test, cuts, createEngine),
  };
  for (const [way, outcome] of Object.entries(ways)) {
    expect(outcome.rows, `${name}, ${way}`).toEqual(fold.rows);
    expect(outcome.ledger, `${name}, ${way}`).toEqual(fold.ledger);
    for (const view of test.options.plan.views) {
      if (view.sink !== null) {
        expect(outcome.changes[view.name], `${name}, ${way}`).toEqual(fold.changes[view.name]);
      }
    }
  }
}

function plannedOrNull(test: KsqldbCase): PlannedCase | null {
  try {
    return planCase(test, functions);
  } catch (error) {
    if (error instanceof MillraceErrors || error instanceof MillraceError) return null;
    throw error;
  }
}

function prepared(test: KsqldbCase, planned: PlannedCase): PreparedCase {
  const log = createMemoryLog({ clock: new ManualClock(1000), id: 'case' });
  const formats = new Map(planned.plan.sources.map(source => [source.topic, sourceFormat(source)]));
  for (const topic of formats.keys()) log.createTopic({ name: topic, partitions: 1, keyIndex: false });
  const inputs = test.inputs.flatMap(input => {
    const format = formats.get(input.topic);
    return format === undefined ? [] : [encodeCaseRecord(input, format)];
  });
  for (const record of [...planned.inserts, ...inputs]) log.append({ records: [record] });
  return { options: { plan: planned.plan, functions: planned.functions, zone: 'UTC' }, log };
}
