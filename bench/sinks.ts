import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ManualClock } from '../src/core/clock.ts';
import { loadExtensions } from '../src/dataflow/extension.ts';
import { logDir } from '../src/dataflow/worker-environment.ts';
import { missedChanges } from '../src/deploy/missed-changes.ts';
import { ViewManager } from '../src/deploy/view-manager.ts';
import { viewPlanner } from '../src/deploy/view-planner.ts';
import { jsonWriter } from '../src/expr/value-json.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import type { AppendRecord, EventLog } from '../src/log/event-log.ts';
import { postgresSink } from '../src/sinks/postgres/postgres-target.ts';
import { Sinks } from '../src/sinks/sinks.ts';
import { sunkViews } from '../src/sunk-views.ts';
import { Postgres } from '../test/sinks/postgres.ts';
import { type Bench, type BenchOptions, type Figure, runBench } from './bench.ts';
import { fill, temporaryFolder } from './history.ts';

/** How fast a view gets into a table of PostgreSQL, and its changes after it. The server is started for the bench. */

const TOPIC = 'accounts';
const ACCOUNTS = `CREATE TABLE accounts (id STRING PRIMARY KEY, owner STRING, currency STRING, balance DECIMAL(14, 2),
  visits BIGINT, opened DATE, seen TIMESTAMP) WITH (KAFKA_TOPIC = '${TOPIC}', VALUE_FORMAT = 'JSON', KEY_FORMAT = 'KAFKA', PARTITIONS = 1);`;
const VIEW = 'CREATE VIEW kept AS SELECT id, owner, currency, balance, visits, opened, seen FROM accounts;';

const bench: Bench = {
  name: 'sinks',
  title: 'a view of seven columns kept as a table in PostgreSQL: loaded, then changed',
  command: 'node bench/sinks.ts',
  async run({ quick }: BenchOptions): Promise<readonly Figure[]> {
    const rows = quick ? 20_000 : 1_000_000;
    const changes = quick ? 5_000 : 300_000;
    const folder = temporaryFolder();
    const postgres = await Postgres.start([]);
    try {
      return await measured(folder, postgres, rows, changes);
    } finally {
      await postgres.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measured(
  folder: string,
  postgres: Postgres,
  rows: number,
  changes: number,
): Promise<readonly Figure[]> {
  const viewsDir = join(folder, 'views');
  mkdirSync(join(viewsDir, 'sources'), { recursive: true });
  writeFileSync(join(viewsDir, 'sources', 'accounts.sql'), ACCOUNTS);
  writeFileSync(join(viewsDir, 'kept.sql'), VIEW);
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const log = await openEmbeddedLog({ dir: logDir(folder), clock });
  await fill(log, TOPIC, oneByOne(accounts(0, rows, rows)));
  const { functions } = await loadExtensions([]);
  const views = await ViewManager.start({
    ...{ dataDir: folder, viewsDir, root: folder, log, clock, extensions: [], zone: 'UTC' },
    ...{ memoryBudget: Infinity, watch: false, report: (text: string) => process.stderr.write(`${text}\n`) },
    planner: viewPlanner({ functions, zone: 'UTC' }),
  });
  await views.settled();
  const plans = () => views.deployment.plans;
  const missed = missedChanges({ dataDir: folder, extensions: [], zone: 'UTC', plans });
  const sinks = new Sinks({
    sinks: [
      {
        name: 'kept',
        view: 'kept',
        kind: postgresSink({
          ...{ sink: 'kept', url: postgres.url(), schema: 'public', table: 'kept' },
          json: type => jsonWriter(type, { numbers: 'json' }),
        }),
      },
    ],
    log,
    views: sunkViews({ log, views, plans, missed }),
    report: text => process.stderr.write(`${text}\n`),
  });
  try {
    const began = performance.now();
    sinks.start();
    await reached(sinks, log);
    const loaded = performance.now();
    const batches = [...accounts(1, changes, rows)];
    for (const records of batches) await log.append({ records }).durable;
    await views.waitFor(log.end(), 60_000);
    const seen = performance.now();
    await reached(sinks, log);
    const merged = performance.now();
    const [counted] = await postgres.query<{ n: string; changed: string }>(
      "SELECT count(*) AS n, count(*) FILTER (WHERE owner LIKE '%-1') AS changed FROM kept",
    );
    if (Number(counted?.n) !== rows || Number(counted?.changed) !== changes) {
      throw new Error(`the table has ${counted?.n} rows, ${counted?.changed} of them changed`);
    }
    const perSecond = (n: number, ms: number) => Math.round((n / ms) * 1000);
    process.stderr.write(
      `load ${Math.round(loaded - began)} ms; the view took the changes within ${Math.round(seen - loaded)} ms, the table ${Math.round(merged - loaded)} ms\n`,
    );
    return [
      {
        name: 'load',
        what: `${rows} rows into a fresh table`,
        value: perSecond(rows, loaded - began),
        unit: 'rows/s',
        floor: 100_000,
      },
      {
        name: 'merge',
        what: `${changes} changes of rows, from the append to the table`,
        value: perSecond(changes, merged - loaded),
        unit: 'changes/s',
        floor: 30_000,
      },
    ];
  } finally {
    await sinks.stop();
    await views.stop();
    await log.close();
  }
}

async function reached(sinks: Sinks, log: EventLog): Promise<void> {
  if (!(await sinks.reaches('kept', log.end(), 60_000))) throw new Error(JSON.stringify(sinks.list()));
}

/** `n` accounts in their round, each another one, in batches. */
function* accounts(round: number, n: number, of: number): Generator<AppendRecord[]> {
  const text = new TextEncoder();
  const step = Math.max(1, Math.floor(of / n));
  for (let at = 0; at < n; at += BATCH) {
    const batch: AppendRecord[] = [];
    for (let i = at; i < Math.min(n, at + BATCH); i++) {
      const account = i * step;
      const day = String(1 + (account % 28)).padStart(2, '0');
      const value = {
        owner: `Owner ${account}-${round}`,
        currency: account % 3 === 0 ? 'USD' : 'EUR',
        balance: (account % 1_000_000) / 100,
        visits: account * 7,
        opened: `2024-03-${day}`,
        seen: `2026-01-${day}T12:00:00.000`,
      };
      batch.push({
        topic: TOPIC,
        key: text.encode(`a${account}`),
        value: text.encode(JSON.stringify(value)),
      });
    }
    yield batch;
  }
}

function* oneByOne(batches: Iterable<readonly AppendRecord[]>): Generator<AppendRecord> {
  for (const batch of batches) yield* batch;
}

const BATCH = 5_000;

await runBench(bench);
