import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ManualClock } from '../src/core/clock.ts';
import { logDir } from '../src/dataflow/worker-environment.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import { openLogReader } from '../src/log/embedded/log-reader.ts';
import type { DeploymentPlan } from '../src/plan/plan.ts';
import { type Bench, type Figure, interleaved, median, ratio, runBench } from './bench.ts';
import { checkpointedReplay } from './checkpointed-replay.ts';
import { ATTEMPTS_SOURCE, planned } from './fraud.ts';
import { fill, temporaryFolder, withAttempts } from './history.ts';
import { invoiceSnapshots, SNAPSHOTS_PER_INVOICE } from './invoice-snapshots.ts';
import { parseAll } from './parse-all.ts';

const SESSIONS = `${ATTEMPTS_SOURCE}
CREATE TABLE bursts AS
  SELECT card_number, COUNT(*) AS attempts, SUM(amount) AS amount
  FROM attempts WINDOW SESSION (2 SECONDS, GRACE PERIOD 5 SECONDS)
  GROUP BY card_number EMIT CHANGES;
`;

const shipped = (file: string): string =>
  readFileSync(join(import.meta.dirname, '..', 'views', file), 'utf8');

interface Shape {
  readonly name: string;
  readonly what: string;
  readonly plan: DeploymentPlan;
  readonly dataDir: string;
  readonly rounds: number;
}

/** A replay into a checkpointed view, in turns with JSON.parse of the same records. */
async function shape({ name, what, plan, dataDir, rounds }: Shape): Promise<readonly Figure[]> {
  const { parse, engine } = await interleaved<
    'parse' | 'engine',
    { readonly ms: number; readonly events: number }
  >(
    {
      parse: async () => {
        const log = openLogReader(logDir(dataDir));
        const parsed = parseAll(log);
        await log.close();
        return parsed;
      },
      engine: async () => {
        const begun = performance.now();
        const { position } = await checkpointedReplay(dataDir, plan);
        return { ms: performance.now() - begun, events: position };
      },
    },
    rounds,
  );
  const times = (all: readonly { readonly ms: number }[]) => all.map(r => r.ms);
  return [
    {
      name,
      what,
      value: median(engine.map(r => (r.events / r.ms) * 1000)),
      unit: 'events/s',
    },
    {
      name: `${name}-by-parse`,
      what: 'the same by JSON.parse of the same records alone',
      value: ratio(times(engine), times(parse)),
      unit: 'x',
    },
  ];
}

async function invoiceTotals(invoices: number, rounds: number): Promise<readonly Figure[]> {
  const dataDir = temporaryFolder();
  try {
    const topic = 'invoice-snapshots';
    const log = await openEmbeddedLog({ dir: logDir(dataDir), clock: new ManualClock(0) });
    await fill(log, topic, invoiceSnapshots(topic, invoices));
    await log.close();
    return await shape({
      name: 'invoice-totals',
      what: `invoice totals: ${(invoices * SNAPSHOTS_PER_INVOICE).toLocaleString('en')} snapshots of invoices (a table), SUMs per customer, currency and status`,
      plan: planned(
        'invoice_totals.sql',
        `${shipped('sources/invoices.sql')}\n${shipped('invoice_totals.sql')}`,
      ),
      dataDir,
      rounds,
    });
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const bench: Bench = {
  name: 'shapes',
  title: 'replays of other shapes into checkpointed views',
  async run({ quick }) {
    const rounds = quick ? 1 : 3;
    const events = quick ? 50_000 : 1_000_000;
    const sessions = await withAttempts(events, ({ dataDir }) =>
      shape({
        name: 'sessions',
        what: `sessions of a card (gap 2 s, grace 5 s), ${events.toLocaleString('en')} card attempts`,
        plan: planned('bursts.sql', SESSIONS),
        dataDir,
        rounds,
      }),
    );
    return [...(await invoiceTotals(quick ? 5_000 : 100_000, rounds)), ...sessions];
  },
};

if (import.meta.main) await runBench(bench);
