import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig, projectRoot } from '../../src/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { parsePosition } from '../../src/core/position.ts';
import { loadExtensions } from '../../src/dataflow/extension.ts';
import { createReferenceFold } from '../../src/dataflow/reference/reference-fold.ts';
import { rowText } from '../../src/dataflow/row-text.ts';
import { logDir } from '../../src/dataflow/worker-environment.ts';
import { readViewFiles } from '../../src/deploy/discovery.ts';
import { viewPlanner } from '../../src/deploy/view-planner.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { until } from '../until.ts';
import { Load, type Produce } from './load.ts';
import { ServerProcess } from './server-process.ts';

/** Where the records come from. */
export interface KilledOften {
  /** default: those that ship */
  readonly pipelines?: string;
  /** default: over HTTP */
  readonly produce?: Produce;
  /** all records that were produced are in the log of the server */
  readonly allHere?: (url: string) => Promise<boolean>;
}

const text = (bytes: Uint8Array | null): string => new TextDecoder().decode(bytes ?? new Uint8Array(0));

/** A server that is killed at any time is in the end what it would be had nothing happened, whichever log has the records. */
export function killsUnderLoad(name: string, kills: number, setUp: () => Promise<KilledOften>): void {
  test(`${name}: ${kills} x kill -9 under load: what was acknowledged is there once, all views are those of an uncrashed run`, async () => {
    const seed = 20_260 + kills;
    console.log(`seed ${seed}`);
    const dataDir = mkdtempSync(join(tmpdir(), 'millrace-kill-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const { pipelines, produce, allHere = () => true } = await setUp();
    const start = () => ServerProcess.start(dataDir, pipelines === undefined ? {} : { pipelines });
    const load = new Load(seed, produce);

    for (let kill = 0; kill < kills; kill++) {
      const server = await start();
      // now and then long enough for commits of the views in between
      const enough = load.acknowledged + 10 + Math.floor(load.random() * (kill % 5 === 4 ? 600 : 100));
      const sending = load.run(server.url);
      await until(`kill ${kill}: ${enough} answers`, () => load.acknowledged >= enough, 120_000);
      await server.kill();
      load.stop();
      await sending;
    }

    const last = await start();
    await load.finish(last.url);
    await until('all records are here', () => allHere(last.url), 60_000);
    const served = await servedRows(last.url);
    expect(await last.stop()).toBe(0);

    const log = await openEmbeddedLog({ dir: logDir(dataDir), clock: systemClock });
    onTestFinished(() => log.close());
    expectOnce(log, load, kills);
    await expectFolded(log, served);
  }, 600_000);
}

interface Served {
  readonly position: string;
  readonly rows: ReadonlyMap<string, readonly unknown[]>;
}

/** All rows of all views, at one position that is the end of the log. */
async function servedRows(url: string): Promise<Served> {
  const get = async (path: string) => {
    const response = await fetch(url + path);
    expect(response.status, path).toBe(200);
    return (await response.json()) as {
      readonly position: string;
      readonly lag: number;
      readonly rows: readonly unknown[];
      readonly next: string | null;
      readonly views: readonly { readonly name: string; readonly state: string }[];
    };
  };
  return until(
    'all views are read at one position',
    async () => {
      const { lag, views } = await get('/status');
      if (lag > 0 || views.some(v => v.state !== 'live')) return null;
      const rows = new Map<string, readonly unknown[]>();
      const positions = new Set<string>();
      for (const { name } of views) {
        const answer = await get(`/views/${name}?limit=10000`);
        expect(answer.next, `all rows of ${name} fit one page`).toBeNull();
        rows.set(name, answer.rows);
        positions.add(answer.position);
      }
      const [position] = positions;
      return positions.size === 1 && position !== undefined ? { position, rows } : null;
    },
    120_000,
  );
}

/** Commands and records: everything acknowledged once, nothing twice. */
function expectOnce(log: EventLog, load: Load, kills: number): void {
  const limit = Number.MAX_SAFE_INTEGER;
  const count = (keys: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  };
  const results = count(log.readTopic('command-results', { limit }).map(r => text(r.key)));
  expect(load.commands.size).toBeGreaterThan(kills * 5);
  for (const [id, acknowledged] of load.commands) {
    expect(acknowledged, `${id} was answered in the end`).toBe(true);
    expect(results.get(id), `results of ${id}`).toBe(1);
  }
  expect(results.size, 'results of nothing but what was sent').toBe(load.commands.size);

  const events = log.readTopic('invoice-events', { limit }).map(
    r =>
      JSON.parse(text(r.value)) as {
        invoice_id: string;
        version: number;
        command_id: string;
        type: string;
      },
  );
  const versions = count(events.map(e => `${e.invoice_id} ${e.version}`));
  expect(
    [...versions].filter(([, n]) => n > 1),
    'versions written twice',
  ).toEqual([]);
  const payments = count(events.filter(e => e.type === 'PaymentReceived').map(e => e.command_id));
  const sentPayments = [...load.commands.keys()].filter(id => id.endsWith('RecordPayment'));
  expect([...payments.keys()].sort(), 'payments').toEqual(sentPayments.sort());
  expect(
    [...payments.values()].every(n => n === 1),
    'each payment once',
  ).toBe(true);

  for (const [topic, sent] of load.records) {
    const found = count(log.readTopic(topic, { limit }).map(r => text(r.key)));
    for (const [id, acknowledged] of sent) {
      const times = found.get(id) ?? 0;
      expect(times, `${id} in ${topic}, acknowledged: ${acknowledged}`).toBeLessThanOrEqual(1);
      if (acknowledged) expect(times, `${id} in ${topic} was acknowledged`).toBe(1);
    }
  }
}

/** Rows and derived topics are what the reference fold makes of the whole log. */
async function expectFolded(log: EventLog, served: Served): Promise<void> {
  const config = loadConfig(join(projectRoot, 'pipelines'), projectRoot);
  const { functions, upcasters } = await loadExtensions([
    pathToFileURL(join(projectRoot, 'src', 'invoice', 'invoice-extension.ts')).href,
    ...config.extensions,
  ]);
  const { zone } = config.views;
  const planned = viewPlanner({ functions, zone })(readViewFiles(join(projectRoot, 'views'), projectRoot));
  expect([...planned.errors.keys()]).toEqual([]);
  expect([...served.rows.keys()].sort()).toEqual(planned.views.map(v => v.name).sort());
  const fold = createReferenceFold({ plan: planned, functions, upcasters, zone });
  for (const block of log.read(log.start(), parsePosition(served.position).seq)) fold.step(block);
  for (const view of planned.views) {
    const columns = view.root.schema.columns.filter((_, i) => !view.hidden?.includes(i));
    const json = rowText.json(columns, 'string');
    const changes = fold.takeChanges(view.name);
    const rows = view.kind === 'append' ? changes : fold.rows(view.name);
    expect(rows.length, `rows of ${view.name}`).toBeGreaterThanOrEqual(
      view.name === 'overdue_invoices' ? 0 : 1,
    );
    expect(served.rows.get(view.name), `rows of ${view.name}`).toEqual(
      rows.map(r => JSON.parse(json(r.row.slice(0, columns.length)))),
    );
    if (view.sink === null) continue;
    const written = log.readTopic(view.sink.topic, { limit: Number.MAX_SAFE_INTEGER });
    expect(written.length, `records of ${view.sink.topic}, one per change of ${view.name}`).toBe(
      changes.length,
    );
  }
}
