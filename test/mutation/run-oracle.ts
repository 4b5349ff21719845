import { decodedAlike } from '../fuzz/decoded-alike.ts';
import { checkCase } from '../oracle/check-case.ts';
import { openDuckdb } from '../oracle/duckdb-side.ts';
import { generateCase, printCase } from '../oracle/generator/generate.ts';
import { Random } from '../oracle/generator/random.ts';
import { checkScript } from '../oracle/scope/check-script.ts';
import { generateScript } from '../oracle/scope/generate-script.ts';
import { planOfScript, Refusals } from '../oracle/scope/random-script.ts';
import { recordsOf } from '../oracle/scope/script-case.ts';
import { printScript } from '../oracle/scope/shrink-script.ts';
import type { Oracle } from './planted-bugs.ts';

/**
 * `node run-oracle.ts ORACLE SEED CASES`: runs one oracle on the sources beside it until it finds something, and prints
 * after how many cases, or that there was nothing. A process of its own, since the sources are another copy.
 */
type Check = (seed: number) => string | null | Promise<string | null>;

const [oracle, seed, cases] = process.argv.slice(2);

async function checkOf(name: Oracle): Promise<Check> {
  switch (name) {
    case 'scripts': {
      const refusals = new Refusals();
      return at => {
        const script = generateScript(at, refusals);
        const plan = planOfScript(printScript(script), script.zone);
        if (plan === null) return null;
        return checkScript({ plan, zone: script.zone, records: recordsOf(script.events), seed: at });
      };
    }
    case 'duckdb': {
      const duckdb = await openDuckdb();
      return at => checkCase(printCase(generateCase(at)), { duckdb, seed: at });
    }
    case 'decoders':
      return at => decodedAlike(new Random(at)).problem;
  }
}

const check = await checkOf(oracle as Oracle);
let answer: { readonly found: number; readonly problem: string } | { readonly found: null } = { found: null };
for (let i = 0; i < Number(cases); i++) {
  const problem = await check(Number(seed) + i);
  if (problem === null) continue;
  answer = { found: i + 1, problem: problem.slice(0, 1500) };
  break;
}
process.stdout.write(`${JSON.stringify(answer)}\n`);
process.exit(0);
