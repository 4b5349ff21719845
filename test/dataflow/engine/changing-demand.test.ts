import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogRecord } from '../../../src/core/log-record.ts';
import type { Engine, EpochOutput } from '../../../src/dataflow/dataflow.ts';
import { createEngine } from '../../../src/dataflow/engine/engine.ts';
import { createReferenceFold } from '../../../src/dataflow/reference/reference-fold.ts';
import { standardLibrary } from '../../../src/expr/library.ts';
import { blockOf } from '../../../src/log/record-block.ts';
import type { DeploymentPlan } from '../../../src/plan/plan.ts';
import { planOf, SeenViews, ZONE } from './compare.ts';
import { JOIN_SOURCES, joinHistory, strictJoin, viewJoin } from './random-joins.ts';
import { history, SOURCES, statement } from './random-scripts.ts';

/**
 * What is asked of a view changes when its readers come and go, or when it takes over its topic: state that was kept while
 * only last rows counted serves when every change does, and the other way round.
 */

const seed = Number(process.env.MILLRACE_SEED ?? 20_261_124);
const RUNS = Number(process.env.MILLRACE_RUNS ?? (process.env.MILLRACE_LONG === '1' ? 3_000 : 120)) / 3;
const TIMEOUT = 180_000;

/** After every cut the state goes into an engine of the next demand. */
function expectSameRows(
  plan: DeploymentPlan,
  records: readonly LogRecord[],
  cutAfter: readonly boolean[],
): void {
  const options = { plan, functions: standardLibrary, zone: ZONE };
  const fold = createReferenceFold(options);
  const seen = new SeenViews(plan);
  let writesTopics = false;
  let engine = createEngine({ ...options, writesTopic: () => writesTopics });
  let from = 0;
  for (const i of records.keys()) {
    if (cutAfter[i % cutAfter.length] !== true && i < records.length - 1) continue;
    const block = blockOf(records.slice(from, i + 1));
    from = i + 1;
    fold.step(block);
    const output: EpochOutput = engine.step(block);
    seen.take(output);
    for (const view of plan.views) {
      if (view.statement === 'stream') continue;
      expect(seen.rows(view.name), `rows of ${view.name} at ${from}`).toEqual(fold.rows(view.name));
    }
    const before: Engine = engine;
    const { position } = before;
    const next: boolean = !writesTopics;
    writesTopics = next;
    engine = createEngine({ ...options, writesTopic: () => next });
    // state is copied, or handed over as it is
    const copied = i % 2 === 0;
    engine.restore(copied ? before.snapshot() : new Map(), position);
    if (!copied) engine.takeOver(before, [...plan.views.map(v => v.name)]);
  }
}

const cuts = fc.array(fc.boolean(), { minLength: 12, maxLength: 12 });

test('random queries, whose demand changes again and again', { timeout: TIMEOUT }, () => {
  fc.assert(
    fc.property(statement, history, cuts, (sql, records, cut) => {
      const plan = planOf(`${SOURCES}${sql}`);
      if ('views' in plan) expectSameRows(plan, records, cut);
    }),
    { seed, numRuns: RUNS },
  );
});

test('random joins, whose demand changes again and again', { timeout: TIMEOUT }, () => {
  fc.assert(
    fc.property(fc.oneof(strictJoin, viewJoin), joinHistory, cuts, (sql, records, cut) => {
      const plan = planOf(`${JOIN_SOURCES}${sql}`);
      if ('views' in plan) expectSameRows(plan, records, cut);
    }),
    { seed, numRuns: RUNS / 2 },
  );
});
