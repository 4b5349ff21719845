import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../src/core/clock.ts';
import { createEngine } from '../src/dataflow/engine/engine.ts';
import { ViewRowEncoder } from '../src/dataflow/live/view-rows.ts';
import { standardLibrary } from '../src/expr/library.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import type { AppendRecord, EventLog, LogReader } from '../src/log/event-log.ts';
import type { DeploymentPlan, ViewPlan } from '../src/plan/plan.ts';
import { planScript } from '../src/plan/script.ts';
import { RowChangeWriter } from '../src/view-store/row-changes.ts';
import { authorizationAttempts, EVENT_BYTES } from './events.ts';

export interface ReplayFigures {
  readonly events: number;
  readonly eventBytes: number;
  /** through log, decoding, window aggregate and HAVING into encoded view rows */
  readonly eventsPerSecond: number;
  /** bytes -> utf8 -> JSON.parse of the same events, nothing else */
  readonly parseEventsPerSecond: number;
  /** the first by the second: at least 0.6 */
  readonly ratio: number;
  readonly rows: number;
  readonly stateBytes: number;
}

const EPOCH = 16_384; // as a shadow build reads
const TOPIC = 'authorization-attempts';

const SQL = `
CREATE STREAM attempts (
  attempt_id STRING, card_number STRING, amount DECIMAL(10, 2), currency STRING, ts BIGINT,
  merchant STRING, country STRING, channel STRING
) WITH (kafka_topic = '${TOPIC}', value_format = 'JSON', timestamp = 'ts');

CREATE TABLE possible_fraud AS
  SELECT card_number, COUNT(*) AS attempts, SUM(amount) AS amount
  FROM attempts WINDOW TUMBLING (SIZE 5 SECONDS, GRACE PERIOD 5 SECONDS)
  GROUP BY card_number HAVING COUNT(*) > 3 EMIT CHANGES;
`;

/** Replays authorization attempts from sealed segments of the embedded log; three rounds, the best of each counts. */
export async function benchReplay(count = 1_000_000, rounds = 3): Promise<ReplayFigures> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const log = await openEmbeddedLog({ dir, clock: new ManualClock(0) });
  try {
    await fill(log, TOPIC, authorizationAttempts({ topic: TOPIC, count }));
    const { plan } = planScript(
      { file: 'fraud.sql', text: SQL },
      { functions: standardLibrary, zone: 'UTC' },
    );
    if (plan === null) throw new Error('the bench query is refused');
    const parses: number[] = [];
    const replays: Replayed[] = [];
    for (let round = 0; round < rounds; round++) {
      parses.push(parseAll(log));
      replays.push(replay(log, plan));
    }
    const best = replays.reduce((a, b) => (b.ms < a.ms ? b : a));
    const parse = Math.min(...parses);
    return {
      events: count,
      eventBytes: EVENT_BYTES,
      eventsPerSecond: Math.round((count / best.ms) * 1000),
      parseEventsPerSecond: Math.round((count / parse) * 1000),
      ratio: Math.round((parse / best.ms) * 100) / 100,
      rows: best.rows,
      stateBytes: best.stateBytes,
    };
  } finally {
    await log.close();
    rmSync(dir, { recursive: true });
  }
}

export async function fill(log: EventLog, topic: string, events: Iterable<AppendRecord>): Promise<void> {
  log.createTopic({ name: topic, partitions: 1, keyIndex: false });
  let records: AppendRecord[] = [];
  for (const record of events) {
    records.push(record);
    if (records.length < 5000) continue;
    await log.append({ records }).durable;
    records = [];
  }
  if (records.length > 0) await log.append({ records }).durable;
  await log.seal();
}

/** ms for the same records as JSON.parse alone would read them */
function parseAll(log: LogReader): number {
  const begun = performance.now();
  let cards = 0;
  for (const block of log.read(0, undefined, EPOCH)) {
    const bytes = Buffer.from(block.bytes.buffer, block.bytes.byteOffset, block.bytes.byteLength);
    for (let i = 0; i < block.n; i++) {
      const event = JSON.parse(bytes.toString('utf8', block.valueStart[i], block.valueEnd[i])) as {
        card_number: string;
      };
      cards += event.card_number.length;
    }
  }
  if (cards === 0) throw new Error('no events');
  return performance.now() - begun;
}

export interface Replayed {
  readonly ms: number;
  readonly rows: number;
  readonly stateBytes: number;
}

/** All views of a plan over the whole log, into the encoded rows of the last one. */
export function replay(log: LogReader, plan: DeploymentPlan): Replayed {
  const begun = performance.now();
  const engine = createEngine({
    plan,
    functions: standardLibrary,
    zone: 'UTC',
    writesTopic: () => false, // a replay: what the topic holds was written when it was live
  });
  const encoder = new ViewRowEncoder(plan.views.at(-1) as ViewPlan);
  const writer = new RowChangeWriter();
  let rows = 0;
  for (const block of log.read(0, undefined, EPOCH)) {
    const { changes } = engine.step(block);
    for (const batches of changes.values()) encoder.encode(batches, writer);
    rows += writer.count;
    writer.take();
  }
  const ms = performance.now() - begun;
  return { ms, rows, stateBytes: engine.stateSize().reduce((sum, s) => sum + s.bytes, 0) };
}

if (import.meta.main) {
  const figures = await benchReplay(Number(process.argv[2] ?? 1_000_000));
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
}
