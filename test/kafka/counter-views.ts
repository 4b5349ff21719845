import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { loadExtensions } from '../../src/dataflow/extension.ts';
import { createReferenceFold } from '../../src/dataflow/reference/reference-fold.ts';
import { readViewFiles } from '../../src/deploy/discovery.ts';
import { ViewManager } from '../../src/deploy/view-manager.ts';
import { viewPlanner } from '../../src/deploy/view-planner.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { counterNamed } from './counter-node.ts';

const { functions } = await loadExtensions([]);
const planner = viewPlanner({ functions, zone: 'UTC' });

/** Views over the counter's topics; their rows do not depend on how a log interleaves partitions. */
export function writeCounterViews(dir: string, name: string): void {
  const { entity, resultsTopic } = counterNamed(name);
  const { events, snapshots } = entity.topics;
  mkdirSync(join(dir, 'sources'), { recursive: true });
  const write = (file: string, text: string) => writeFileSync(join(dir, `${file}.sql`), text);
  write(
    'sources/counter',
    `CREATE STREAM added (id STRING KEY, type STRING, version INT)
       WITH (KAFKA_TOPIC = '${events}', VALUE_FORMAT = 'JSON', KEY_FORMAT = 'KAFKA');
     CREATE TABLE counters (id STRING PRIMARY KEY, state INT, version INT)
       WITH (KAFKA_TOPIC = '${snapshots}', VALUE_FORMAT = 'JSON', KEY_FORMAT = 'KAFKA');
     CREATE STREAM answers (command STRING KEY, status STRING, version INT)
       WITH (KAFKA_TOPIC = '${resultsTopic}', VALUE_FORMAT = 'JSON', KEY_FORMAT = 'KAFKA');`,
  );
  write(
    'totals',
    'CREATE TABLE totals AS SELECT id, COUNT(*) AS n, MAX(version) AS last FROM added GROUP BY id;',
  );
  write('statuses', 'SELECT status, COUNT(*) AS n, SUM(version) AS versions FROM answers GROUP BY status;');
  write('exact', 'SELECT c.id, c.state, t.n, t.last FROM counters c JOIN totals t ON c.id = t.id;');
}

export function startCounterViews(log: EventLog, dataDir: string, viewsDir: string): Promise<ViewManager> {
  return ViewManager.start({
    ...{ dataDir, viewsDir, root: viewsDir, log, clock: systemClock },
    ...{ extensions: [], zone: 'UTC', memoryBudget: Number.POSITIVE_INFINITY, planner, watch: false },
    report: () => {},
  });
}

/** What the views must hold over a log, by name, each row as text, sorted. */
export function foldedRows(log: EventLog, viewsDir: string): ReadonlyMap<string, readonly string[]> {
  const { sources, views } = planner(readViewFiles(viewsDir, viewsDir));
  const fold = createReferenceFold({ plan: { sources, views }, functions, zone: 'UTC' });
  for (const block of log.read(log.start())) fold.step(block);
  return new Map(views.map(({ name }) => [name, texts(fold.rows(name))]));
}

export function servedRows(views: ViewManager): ReadonlyMap<string, readonly string[]> {
  return new Map(views.list().map(({ name }) => [name, texts([...views.open(name).scan()])]));
}

const texts = (rows: readonly { readonly row: readonly unknown[] }[]): string[] =>
  rows.map(({ row }) => JSON.stringify(row.map(v => (typeof v === 'bigint' ? String(v) : v)))).sort();
