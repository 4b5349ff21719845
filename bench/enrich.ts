import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../src/core/clock.ts';
import { createEngine } from '../src/dataflow/engine/engine.ts';
import { standardLibrary } from '../src/expr/library.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import type { LogReader } from '../src/log/event-log.ts';
import type { DeploymentPlan } from '../src/plan/plan.ts';
import { planScript } from '../src/plan/script.ts';
import { authorizationAttempts, CARDS, cardHolders } from './events.ts';
import { fill } from './replay.ts';

export interface EnrichFigures {
  readonly events: number;
  readonly tableRows: number;
  /** through log, decoding, filter and stream-table join, changes as columns */
  readonly eventsPerSecond: number;
  readonly joined: number;
  readonly stateBytes: number;
}

const EPOCH = 16_384;
const ATTEMPTS = 'authorization-attempts';
const HOLDERS = 'card-holders';

const SQL = `
CREATE STREAM attempts (
  attempt_id STRING, card_number STRING, amount DECIMAL(10, 2), currency STRING, ts BIGINT,
  merchant STRING, country STRING, channel STRING
) WITH (kafka_topic = '${ATTEMPTS}', value_format = 'JSON', timestamp = 'ts');

CREATE TABLE holders (card STRING PRIMARY KEY, holder STRING, tier STRING, credit DECIMAL(10, 2))
  WITH (kafka_topic = '${HOLDERS}', value_format = 'JSON');

CREATE STREAM enriched AS
  SELECT card_number, attempt_id, amount, merchant, holder, tier, credit
  FROM attempts LEFT JOIN holders ON attempts.card_number = holders.card EMIT CHANGES;
`;

/** Authorization attempts, each with its card's holder: a stream with a table of 100,000 rows; the best of three rounds. */
export async function benchEnrich(count = 1_000_000, rounds = 3): Promise<EnrichFigures> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const log = await openEmbeddedLog({ dir, clock: new ManualClock(0) });
  try {
    await fill(log, HOLDERS, cardHolders(HOLDERS));
    await fill(log, ATTEMPTS, authorizationAttempts({ topic: ATTEMPTS, count }));
    const { plan } = planScript(
      { file: 'enrich.sql', text: SQL },
      { functions: standardLibrary, zone: 'UTC' },
    );
    if (plan === null) throw new Error('the bench query is refused');
    const all = Array.from({ length: rounds }, () => enrich(log, plan));
    const best = all.reduce((a, b) => (b.ms < a.ms ? b : a));
    return {
      events: count,
      tableRows: CARDS,
      eventsPerSecond: Math.round((count / best.ms) * 1000),
      joined: best.joined,
      stateBytes: best.stateBytes,
    };
  } finally {
    await log.close();
    rmSync(dir, { recursive: true });
  }
}

/** The table first, untimed; ms for the stream. */
function enrich(log: LogReader, plan: DeploymentPlan): { ms: number; joined: number; stateBytes: number } {
  const engine = createEngine({
    plan,
    functions: standardLibrary,
    zone: 'UTC',
    writesTopic: () => false,
  });
  for (const block of log.read(0, CARDS, EPOCH)) engine.step(block);
  let joined = 0;
  const begun = performance.now();
  for (const block of log.read(CARDS, undefined, EPOCH)) {
    for (const batch of engine.step(block).changes.get('enriched') ?? []) {
      joined += batch.sel?.length ?? batch.n;
    }
  }
  const ms = performance.now() - begun;
  return { ms, joined, stateBytes: engine.stateSize().reduce((sum, s) => sum + s.bytes, 0) };
}

if (import.meta.main) {
  const figures = await benchEnrich(Number(process.argv[2] ?? 1_000_000));
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
}
