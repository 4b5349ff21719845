import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogue, errorText, MillraceError, type MillraceErrors } from '../../src/core/errors.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { createReferenceFold } from '../../src/dataflow/reference/reference-fold.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { blockOf } from '../../src/log/record-block.ts';
import { planDeployment } from '../../src/plan/deployment.ts';
import { explain } from '../../src/plan/explain.ts';
import { planScript } from '../../src/plan/script.ts';
import { parseExpressionText, parseStatements, parseTypeText } from '../../src/sql/parse.ts';
import type { Random } from '../oracle/generator/random.ts';
import { fuzz, LONG, TIMEOUT } from './fuzz-run.ts';
import { GROWING } from './long-sql.ts';
import { mutatedBytes, mutatedTokens } from './mutated-sql.ts';
import { validScripts } from './valid-sql.ts';
import { Work } from './work.ts';

const TEXTS = Number(process.env.MILLRACE_FUZZ_SQL ?? (LONG ? 100_000 : 1_200));
const zone = 'Europe/Berlin';

const valid = validScripts();

test(
  `${TEXTS} damaged texts: the planner says what is wrong and where, or makes a plan that runs`,
  { timeout: TIMEOUT },
  () =>
    fuzz({
      name: 'SQL',
      inputs: TEXTS,
      each: random => {
        const text = damaged(random);
        // most damages are seen by the parser already, and the planner costs more
        const parsed = parseStatements({ file: 'fuzz.sql', text });
        expectRefusals(parsed.errors, text);
        if (random.chance(0.02)) expectOfParts(text);
        if (random.chance(parsed.errors.length > 0 ? 0.1 : 0.6)) expectPlanned(text);
        return undefined;
      },
    }),
);

function damaged(random: Random): string {
  const text = random.of(valid);
  const once = random.chance(0.5)
    ? mutatedBytes(random, text)
    : mutatedTokens(random, text, random.of(valid));
  return random.chance(0.1) ? mutatedBytes(random, once) : once;
}

/** The plan goes as far as a few epochs: what the planner takes, fold and engine take. */
function expectPlanned(text: string): void {
  const source = { file: 'fuzz.sql', text };
  const { plan, errors } = planScript(source, { functions: standardLibrary, zone });
  expectRefusals(errors, text);
  if (plan === null) {
    expect(errors.length, text).toBeGreaterThan(0);
    const file = { name: 'v', source };
    const deployed = planDeployment([file], { functions: standardLibrary, zone, sourceFiles: [] });
    expectRefusals(deployed.errors, text);
    return;
  }
  for (const view of plan.views) explain(view, plan.views);
  const options = { plan, functions: standardLibrary, zone };
  const engine = createEngine(options);
  const fold = createReferenceFold(options);
  const block = blockOf(
    plan.sources.slice(0, 5).map((s, seq) => ({
      seq,
      topic: s.topic,
      partition: 0,
      offset: 0,
      timestamp: 1000 + seq,
      appendTime: 1000 + seq,
      key: new TextEncoder().encode('k'),
      value: new TextEncoder().encode('{"a":1,"i":2,"v":3,"amount":1.5,"t":"x"}'),
      headers: [],
    })),
  );
  if (block.n === 0) return;
  engine.step(block);
  fold.step(block);
  createEngine(options).restore(engine.snapshot(), engine.position);
}

function planned(text: string): () => void {
  return () => void planScript({ file: 'fuzz.sql', text }, { functions: standardLibrary, zone });
}

function expectOfParts(text: string): void {
  for (const parse of [parseExpressionText, parseTypeText]) {
    try {
      parse({ file: 'fuzz.sql', text: text.slice(-200) });
    } catch (error) {
      expect((error as Error).name).toBe('MillraceErrors');
      expectRefusals((error as MillraceErrors).errors, text.slice(-200));
    }
  }
}

function expectRefusals(errors: readonly MillraceError[], text: string): void {
  expect(errors.length).toBeLessThanOrEqual(200);
  for (const error of errors) {
    if (!(error instanceof MillraceError)) throw error;
    const { code, place } = error;
    if (catalogue[code].fault !== 'user') throw error;
    expect(errorText(error)).toContain(code);
    if (place === undefined) continue;
    const { start, end } = place.span;
    if (!(start >= 0 && start <= end && end <= place.source.text.length)) {
      throw new Error(`place ${start}-${end} of "${error.message}" is outside of the text:\n${text}`);
    }
  }
}

describe('texts that grow', () => {
  const sizes = LONG ? [10, 100, 1_000, 10_000, 60_000] : [10, 400];
  let work: Work;
  beforeAll(() => {
    work = new Work();
  });
  afterAll(() => work.close());

  test.each(GROWING)('$name: any length is refused or planned', ({ text }) => {
    for (const n of sizes) {
      const parsed = parseStatements({ file: 'fuzz.sql', text: text(n) });
      expectRefusals(parsed.errors, `${n} times`);
      if (n <= 1_000) expectPlanned(text(n));
      else if (n <= 10_000) expect(work.of(planned(text(n)))).toBeLessThan(60_000_000);
    }
  });

  test.each(GROWING)('$name: twice the text is no more than about twice the work', ({ text, square }) => {
    const plan = (n: number) => planned(text(n));
    // a first time fills tables that are made once
    plan(20)();
    const [small, large] = [work.of(plan(45)), work.of(plan(90))];
    expect(small).toBeGreaterThan(0);
    expect(large / small, `${small} calls for 45, ${large} for 90`).toBeLessThan(square ? 4.5 : 2.6);
  });
});
