import { randomInt } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { columnsEngine } from '../../src/cli/test/case-engine.ts';
import { readKsqldbCases } from '../../src/cli/test/ksqldb-case.ts';
import { runKsqldbCase } from '../../src/cli/test/ksqldb-runner.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { Random } from '../oracle/generator/random.ts';
import { lockstep } from './lockstep.ts';
import { testFunctions } from './test-functions.ts';

/**
 * Every conformance case, its records cut into blocks anywhere, beside the reference fold (see `lockstep.ts`), the engine
 * killed and restored on the way: it passes as it does record by record. With MILLRACE_LONG each case is cut in 20 ways;
 * MILLRACE_SEED repeats a run. (BAD_UDF counts its calls, so its cases have no such answer.)
 */
const folder = join(process.env.MILLRACE_CONFORMANCE ?? '', 'ksqldb');
const present = process.env.MILLRACE_CONFORMANCE !== undefined && existsSync(folder);
const functions = standardLibrary.with(testFunctions);
const seed = Number(process.env.MILLRACE_SEED ?? randomInt(2 ** 31));
const WAYS = process.env.MILLRACE_LONG === '1' ? 20 : 1;

const TIME = 180_000 * WAYS;

it.runIf(present)(`every case cut at random, killed and restored (seed ${seed})`, { timeout: TIME }, () => {
  const wrong: string[] = [];
  let [runs, kills, passed] = [0, 0, 0];
  for (const file of readdirSync(folder).filter(name => name.endsWith('.json'))) {
    for (const [i, test] of readKsqldbCases(join(folder, file)).entries()) {
      if (/\bbad_udf\(/i.test(test.statements.join())) continue;
      for (let way = 0; way < WAYS; way++) {
        const random = new Random(seed + i * 1000 + way);
        const rarely = random.of([0, 0.5, 0.8, 1]);
        const result = runKsqldbCase(test, {
          engine: lockstep({ createEngine, random: () => random.fraction(), killed: () => kills++ }),
          functions,
          waits: () => random.chance(rarely),
        });
        runs++;
        if (result.status === 'pass') {
          passed++;
          continue;
        }
        const plain = runKsqldbCase(test, { engine: columnsEngine(createEngine), functions });
        if (result.status === plain.status && result.reason === plain.reason) continue;
        wrong.push(`${file}: ${test.name}, way ${way}: ${plain.status}, but cut ${result.reason}`);
      }
    }
  }
  console.log(`seed ${seed}: ${runs} runs, ${passed} pass, ${kills} kills`);
  expect(wrong).toEqual([]);
  expect(passed).toBeGreaterThan(780 * WAYS);
  expect(kills).toBeGreaterThan(200);
});
