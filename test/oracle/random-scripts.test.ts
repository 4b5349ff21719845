import { expect, test } from 'vitest';
import { Watchdog } from '../fuzz/watchdog.ts';
import { Random } from './generator/random.ts';
import { checkScript } from './scope/check-script.ts';
import { generateScript } from './scope/generate-script.ts';
import { withEmbeddedLog } from './scope/log-bytes.ts';
import { planOfScript, Refusals } from './scope/random-script.ts';
import {
  readScriptCorpus,
  recordsOf,
  type ScriptCase,
  saveScriptCase,
  scriptText,
} from './scope/script-case.ts';
import { type GeneratedScript, printScript, shrinkScript } from './scope/shrink-script.ts';

/**
 * Laws 1 and 2 over all that the planner takes: random scripts of up to six statements, strict and complete, over random
 * histories of six topics. `MILLRACE_SCRIPTS` for another number of pairs, `MILLRACE_SEED` for others.
 */
const LONG = process.env.MILLRACE_LONG === '1';
const PAIRS = Number(process.env.MILLRACE_SCRIPTS ?? (LONG ? 10_000 : 70));
const SEED = Number(process.env.MILLRACE_SEED ?? 20_261_124);

function check(script: GeneratedScript, seed: number): string | null {
  const plan = planOfScript(printScript(script), script.zone);
  if (plan === null) return null;
  return checkScript({ plan, zone: script.zone, records: recordsOf(script.events), seed });
}

/** The same through the bytes of an embedded log. */
function checkBytes(found: ScriptCase, seed: number): Promise<string | null> {
  const plan = planOfScript(found.script, found.zone);
  if (plan === null) throw new Error(`${found.name}: the script is refused`);
  const records = recordsOf(found.events);
  const topics = plan.sources.map(s => ({ name: s.topic, partitions: s.partitions }));
  return withEmbeddedLog(records, topics, new Random(seed), log =>
    checkScript({ plan, zone: found.zone, records, seed, logs: [log] }),
  );
}

const corpus = readScriptCorpus();

test.each(corpus.map(found => [found.name, found] as const))('found before: %s', async (_, found) => {
  for (const seed of [1, 2, 3]) expect(await checkBytes(found, seed)).toBeNull();
});

test(`${PAIRS} random scripts over random histories from seed ${SEED}: engine = reference fold`, {
  timeout: 3_600_000,
}, async () => {
  const refusals = new Refusals();
  const watchdog = new Watchdog('random scripts');
  for (let seed = SEED; seed < SEED + PAIRS; seed++) {
    watchdog.begin(seed);
    const script = generateScript(seed, refusals);
    const name = `seed ${seed}`;
    const problem = check(script, seed);
    if (problem !== null) throw found(script, problem, seed);
    if (seed % 10 !== 0) continue;
    const { zone, events } = script;
    expect(await checkBytes({ name, zone, script: printScript(script), events }, seed), name).toBeNull();
  }
  await watchdog.stop();
  console.log(
    `${PAIRS} pairs from seed ${SEED}: ${refusals.taken} statements taken, ${refusals.refused} refused`,
  );
  expect(refusals.refused, refusals.toString()).toBeLessThan(refusals.taken);
});

function found(script: GeneratedScript, problem: string, seed: number): Error {
  const small = shrinkScript(script, problem, candidate => check(candidate, seed));
  const { zone, events } = small.script;
  const asCase: ScriptCase = { name: `seed ${seed}`, zone, script: printScript(small.script), events };
  const file = saveScriptCase(asCase);
  return new Error(`seed ${seed}, written to ${file}:\n${scriptText(asCase)}\n${small.problem}`);
}
