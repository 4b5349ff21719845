import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { loadExtensions } from '../../src/dataflow/extension.ts';
import { createReferenceFold } from '../../src/dataflow/reference/reference-fold.ts';
import { logDir } from '../../src/dataflow/worker-environment.ts';
import { readViewFiles } from '../../src/deploy/discovery.ts';
import { ViewManager } from '../../src/deploy/view-manager.ts';
import { viewPlanner } from '../../src/deploy/view-planner.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import type { DeploymentPlan } from '../../src/plan/plan.ts';

export const EXTENSIONS = [new URL('./breaking-extension.ts', import.meta.url).href];
const { functions } = await loadExtensions(EXTENSIONS);

const SOURCES = `CREATE STREAM orders (id STRING KEY, customer STRING, amount INT)
  WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON', KEY_FORMAT = 'KAFKA', PARTITIONS = 1);`;

export const VIEWS = {
  totals:
    'CREATE TABLE totals AS SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer;',
  large:
    "CREATE STREAM large WITH (KAFKA_TOPIC = 'large') AS SELECT id, customer, amount FROM orders WHERE amount > 50;",
  large_totals: 'CREATE TABLE large_totals AS SELECT customer, COUNT(*) AS n FROM large GROUP BY customer;',
} as const;

/** A data folder with view files, as a server has them. */
export class DataFolder {
  readonly dir: string;
  readonly viewsDir: string;

  constructor(dir = mkdtempSync(join(tmpdir(), 'millrace-deploy-'))) {
    this.dir = dir;
    this.viewsDir = join(dir, 'views');
    mkdirSync(join(this.viewsDir, 'sources'), { recursive: true });
    writeFileSync(join(this.viewsDir, 'sources', 'orders.sql'), SOURCES);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.viewsDir, `${name}.sql`), text);
  }

  remove(name: string): void {
    rmSync(join(this.viewsDir, `${name}.sql`));
  }

  /** names of the version folders on disk */
  versions(): string[] {
    return readdirSync(join(this.dir, 'state', 'views')).sort();
  }
}

/** A folder with the three usual views; removed with the test. */
export function dataFolder(views: Readonly<Record<string, string>> = VIEWS): DataFolder {
  const folder = new DataFolder();
  for (const [name, text] of Object.entries(views)) folder.write(name, text);
  onTestFinished(() => rmSync(folder.dir, { recursive: true, force: true }));
  return folder;
}

export interface RunningOptions {
  readonly clock?: Clock;
  readonly watch?: boolean;
  /** bytes of operator state; default: as much as there is */
  readonly memoryBudget?: number;
  /** ms that one step of a view may take */
  readonly stuckAfter?: number;
  /** when a build is long, and how often it writes, as in `WorkerSetup` */
  readonly longBuild?: number;
  readonly foldAfter?: number;
  /** puts something between the log and those who write to it */
  readonly wrapLog?: (log: EventLog) => EventLog;
}

/** What runs over a data folder: log and views with their workers. */
export class Running {
  readonly folder: DataFolder;
  readonly log: EventLog;
  readonly views: ViewManager;
  readonly reports: string[];
  #stopped = false;

  private constructor(folder: DataFolder, log: EventLog, views: ViewManager, reports: string[]) {
    this.folder = folder;
    this.log = log;
    this.views = views;
    this.reports = reports;
  }

  static async start(
    folder: DataFolder,
    {
      clock = systemClock,
      watch = false,
      memoryBudget = Infinity,
      stuckAfter,
      longBuild,
      foldAfter,
      wrapLog = log => log,
    }: RunningOptions = {},
  ): Promise<Running> {
    const log = wrapLog(await openEmbeddedLog({ dir: logDir(folder.dir), clock }));
    log.createTopic({ name: 'orders', partitions: 1, keyIndex: false });
    const reports: string[] = [];
    const views = await ViewManager.start({
      dataDir: folder.dir,
      viewsDir: folder.viewsDir,
      root: folder.dir,
      log,
      clock,
      extensions: EXTENSIONS,
      zone: 'UTC',
      memoryBudget,
      stuckAfter,
      longBuild,
      foldAfter,
      planner: viewPlanner({ functions, zone: 'UTC' }),
      watch,
      report: text => reports.push(text),
    });
    return new Running(folder, log, views, reports);
  }

  /** Appends orders; resolves when they are durable. */
  async orders(orders: readonly (readonly [id: string, customer: string, amount: number])[]): Promise<void> {
    const text = (s: string): Uint8Array => new TextEncoder().encode(s);
    await Promise.all(
      orders.map(([id, customer, amount]) => {
        const value = text(JSON.stringify({ customer, amount }));
        return this.log.append({ records: [{ topic: 'orders', key: text(id), value, timestamp: 1_000 }] })
          .durable;
      }),
    );
  }

  /** Appends orders, ten thousand at a time: what is to fill a log. */
  async ordersAtOnce(orders: readonly (readonly [string, string, number])[]): Promise<void> {
    for (let from = 0; from < orders.length; from += 10_000) {
      const records = orders.slice(from, from + 10_000).map(([id, customer, amount]) => ({
        topic: 'orders',
        key: Buffer.from(id),
        value: Buffer.from(JSON.stringify({ customer, amount })),
        timestamp: 1_000,
      }));
      await this.log.append({ records }).durable;
    }
  }

  /** Resolves when every view is built and has seen the whole log, what views wrote into it too. */
  async caughtUp(): Promise<void> {
    await this.views.settled();
    for (let end = -1; end !== this.log.end(); ) {
      end = this.log.end();
      expect(await this.views.waitFor(end, 60_000), `the views reach ${end}`).toBe(true);
      await this.log.append({ records: [] }).durable;
    }
  }

  /** rows of a view as JSON-like arrays, BIGINT as numbers */
  rows(name: string): unknown[][] {
    return [...this.views.open(name).scan()].map(r => plain(r.row));
  }

  /** what the plans of the files give over the log, by the reference fold; a file may be left out */
  expected(without?: string, to = this.log.end()): Map<string, unknown[][]> {
    const planner = viewPlanner({ functions, zone: 'UTC' });
    const { sources, views } = planner(
      readViewFiles(this.folder.viewsDir, this.folder.dir).filter(f => f.name !== without),
    );
    const plan: DeploymentPlan = { sources, views };
    const fold = createReferenceFold({ plan, functions, zone: 'UTC' });
    for (const block of this.log.read(this.log.start(), to)) fold.step(block);
    return new Map(
      views.map(v => [
        v.name,
        (v.kind === 'append' ? fold.takeChanges(v.name) : fold.rows(v.name)).map(r => plain(r.row)),
      ]),
    );
  }

  /** All views are live and equal the reference fold over the whole log. */
  async expectExact(): Promise<void> {
    await this.caughtUp();
    const expected = this.expected();
    expect(this.views.list().map(v => [v.name, v.state])).toEqual(
      [...expected.keys()].sort().map(n => [n, 'live']),
    );
    for (const [name, rows] of expected) expect(this.rows(name), `rows of ${name}`).toEqual(rows);
  }

  /** the records of a topic as [key, value] */
  topic(name: string): [string, string][] {
    const text = (bytes: Uint8Array | null): string => new TextDecoder().decode(bytes ?? new Uint8Array(0));
    return this.log.readTopic(name, { limit: 1_000_000 }).map(r => [text(r.key), text(r.value)]);
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.views.stop();
    await this.log.close();
  }
}

/** Starts over a folder; stopped with the test at the latest. */
export async function start(folder: DataFolder, options: RunningOptions = {}): Promise<Running> {
  const running = await Running.start(folder, options);
  onTestFinished(() => running.stop());
  return running;
}

function plain(row: readonly unknown[]): unknown[] {
  return row.map(v => (typeof v === 'bigint' ? Number(v) : v));
}

export function manyOrders(n: number, from = 0): [string, string, number][] {
  return Array.from({ length: n }, (_, i) => [`o${from + i}`, `c${(from + i) % 7}`, ((from + i) * 37) % 101]);
}
