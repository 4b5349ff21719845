import { rmSync } from 'node:fs';
import { ManualClock } from '../src/core/clock.ts';
import { createEngine } from '../src/dataflow/engine/engine.ts';
import { standardLibrary } from '../src/expr/library.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import type { LogReader } from '../src/log/event-log.ts';
import type { DeploymentPlan } from '../src/plan/plan.ts';
import { type Bench, interleaved, median, ratio, runBench } from './bench.ts';
import { authorizationAttempts, CARDS, cardHolders } from './events.ts';
import { ATTEMPTS_SOURCE, planned } from './fraud.ts';
import { ATTEMPTS, fill, temporaryFolder } from './history.ts';
import { parseAll } from './parse-all.ts';

const EPOCH = 16_384;
const HOLDERS = 'card-holders';

const SQL = `${ATTEMPTS_SOURCE}
CREATE TABLE holders (card STRING PRIMARY KEY, holder STRING, tier STRING, credit DECIMAL(10, 2))
  WITH (kafka_topic = '${HOLDERS}', value_format = 'JSON');

CREATE STREAM enriched AS
  SELECT card_number, attempt_id, amount, merchant, holder, tier, credit
  FROM attempts LEFT JOIN holders ON attempts.card_number = holders.card EMIT CHANGES;
`;

const bench: Bench = {
  name: 'enrich',
  title: 'a stream with a table of 100,000 rows (LEFT JOIN), seven columns out, changes as columns',
  async run({ quick }) {
    const count = quick ? 50_000 : 1_000_000;
    const dir = temporaryFolder();
    const log = await openEmbeddedLog({ dir, clock: new ManualClock(0) });
    try {
      await fill(log, HOLDERS, cardHolders(HOLDERS));
      await fill(log, ATTEMPTS, authorizationAttempts({ topic: ATTEMPTS, count }));
      const plan = planned('enrich.sql', SQL);
      const { parse, engine } = await interleaved<'parse' | 'engine', { readonly ms: number }>(
        { parse: () => parseAll(log, CARDS), engine: () => enrich(log, plan, count) },
        quick ? 1 : 3,
      );
      const times = (all: readonly { readonly ms: number }[]) => all.map(r => r.ms);
      return [
        {
          name: 'engine',
          what: `card attempts, each with its card's holder`,
          value: (count / median(times(engine))) * 1000,
          unit: 'events/s',
        },
        {
          name: 'engine-by-parse',
          what: 'the same by JSON.parse of the attempts alone',
          value: ratio(times(engine), times(parse)),
          unit: 'x',
        },
      ];
    } finally {
      await log.close();
      rmSync(dir, { recursive: true });
    }
  },
};

/** The table first, untimed; ms for the stream. */
function enrich(log: LogReader, plan: DeploymentPlan, count: number): { readonly ms: number } {
  const engine = createEngine({
    plan,
    functions: standardLibrary,
    zone: 'UTC',
    writesTopic: () => false,
  });
  for (const block of log.read(0, CARDS, EPOCH)) engine.step(block);
  let joined = 0;
  const begun = performance.now();
  for (const block of log.scan(CARDS, undefined, EPOCH)) {
    for (const batch of engine.step(block).changes.get('enriched') ?? []) {
      joined += batch.sel?.length ?? batch.n;
    }
  }
  const ms = performance.now() - begun;
  if (joined !== count) throw new Error(`${joined} of ${count} attempts came out`);
  return { ms };
}

if (import.meta.main) await runBench(bench);
