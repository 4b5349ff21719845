import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../oracle/generator/random.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { occurrences, SourceCopy } from './source-copy.ts';

/**
 * Do the oracles see anything? Mistakes are planted into a copy of the engine; each must be found within a number of cases.
 * All of them with `MILLRACE_LONG=1`, else a few, which the seed picks.
 */
/** the short form takes those that are found soon */
const SOON = 400;
const LONG = process.env.MILLRACE_LONG === '1';
const SEED = Number(process.env.MILLRACE_SEED ?? 20_261_124);

test.each(PLANTED_BUGS)('the place for "$name" is there', bug => {
  expect(occurrences(bug), `${bug.file} does not hold it just once: ${bug.text}`).toBe(1);
  expect(bug.replacement).not.toBe(bug.text);
});

describe('planted bugs are caught', () => {
  let copy: SourceCopy;
  beforeAll(() => {
    copy = new SourceCopy();
  });
  afterAll(() => copy.remove());

  const chosen = LONG
    ? PLANTED_BUGS
    : new Random(SEED).shuffled(PLANTED_BUGS.filter(b => b.within <= SOON)).slice(0, 2);

  test.each(chosen)('$name: by $oracle within $within cases', { timeout: 600_000 }, async bug => {
    const answer = await copy.withBug(bug, { planted: true, seed: SEED });
    expect(answer.found, `nothing found in ${bug.within} cases from seed ${SEED}`).not.toBeNull();
    console.log(`"${bug.name}": after ${answer.found} cases from seed ${SEED}`);
  });
});
