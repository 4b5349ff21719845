import { expect } from 'vitest';
import { loadExtensions } from '../../src/dataflow/extension.ts';
import { createReferenceFold } from '../../src/dataflow/reference/reference-fold.ts';
import { rowText } from '../../src/dataflow/row-text.ts';
import { sinkEncoder } from '../../src/dataflow/sink-encoder.ts';
import { readViewFiles } from '../../src/deploy/discovery.ts';
import { viewPlanner } from '../../src/deploy/view-planner.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { until } from '../until.ts';
import { sendCommand } from './lean-load.ts';
import { EXTENSIONS, type LeanServer, viewsDirOf, ZONE } from './lean-server.ts';
import type { Trace } from './lean-trace.ts';
import { CHANGING } from './lean-views.ts';

const { functions, upcasters } = await loadExtensions(EXTENSIONS);
const ALL = Number.MAX_SAFE_INTEGER;
const text = (bytes: Uint8Array | null): string => new TextDecoder().decode(bytes ?? new Uint8Array(0));

/** A folder after its kills, opened once more: nothing lost, doubled or different. */
export async function expectWhole(server: LeanServer, dir: string, trace: Trace): Promise<void> {
  const said = (line: string): void => trace.said(line);
  for (const command of trace.unanswered) await sendCommand(server, said, command);
  await settled(server);
  expectCommandsOnce(server.log, trace);
  expectRecordsOnce(server.log, trace);
  const payments = server.log.readTopic('payments', { limit: ALL }).map(r => r.seq);
  await until('every payment was reacted to', () => payments.every(seq => trace.reactedTo.has(seq)));
  expectFolded(server, dir);
}

/** Every view is built and has seen the whole log, what views wrote into it too. */
async function settled({ views, log }: LeanServer): Promise<void> {
  await views.settled();
  for (let end = -1; end !== log.end(); ) {
    end = log.end();
    expect(await views.waitFor(end, 60_000), `the views reach ${end}`).toBe(true);
    await log.append({ records: [] }).durable;
  }
}

function counted(keys: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function expectCommandsOnce(log: EventLog, trace: Trace): void {
  const results = counted(log.readTopic('command-results', { limit: ALL }).map(r => text(r.key)));
  expect(
    [...results].filter(([, n]) => n !== 1),
    'results given twice',
  ).toEqual([]);
  expect([...results.keys()].sort(), 'one result for each command').toEqual(
    [...trace.commands.keys()].sort(),
  );
  const events = log.readTopic('invoice-events', { limit: ALL }).map(
    r =>
      JSON.parse(text(r.value)) as {
        invoice_id: string;
        version: number;
        command_id: string;
        type: string;
      },
  );
  const versions = new Map<string, number>();
  for (const { invoice_id, version } of events) {
    expect(version, `versions of ${invoice_id} follow each other`).toBe((versions.get(invoice_id) ?? 0) + 1);
    versions.set(invoice_id, version);
  }
  const paid = counted(events.filter(e => e.type === 'PaymentReceived').map(e => e.command_id));
  const accepted = log
    .readTopic('command-results', { limit: ALL })
    .map(r => JSON.parse(text(r.value)) as { commandId: string; type: string; status: string })
    .filter(r => r.status === 'accepted' && r.type === 'RecordPayment')
    .map(r => r.commandId);
  expect([...paid].sort(), 'each payment once').toEqual(accepted.sort().map(id => [id, 1]));
}

function expectRecordsOnce(log: EventLog, trace: Trace): void {
  for (const [topic, sent] of trace.records) {
    const found = counted(
      log
        .readTopic(topic, { limit: ALL })
        .map(r => text(r.headers.find(h => h.name === 'id')?.value ?? null)),
    );
    const wrong = [...sent].filter(([id, acknowledged]) => {
      const times = found.get(id) ?? 0;
      return times > 1 || (acknowledged && times === 0);
    });
    expect(wrong, `records of ${topic} that are lost or doubled`).toEqual([]);
    expect(
      [...found.keys()].filter(id => !sent.has(id)),
      `records of ${topic} that nobody sent`,
    ).toEqual([]);
  }
}

/** Rows and derived topics are what the reference fold makes of the log, each record and row. */
function expectFolded({ log, views }: LeanServer, dir: string): void {
  const planned = viewPlanner({ functions, zone: ZONE })(readViewFiles(viewsDirOf(dir), dir));
  expect([...planned.errors.values()].flat()).toEqual([]);
  expect(views.list().map(v => [v.name, v.state, v.errors])).toEqual(
    planned.views
      .map(v => v.name)
      .sort()
      .map(name => [name, 'live', []]),
  );
  const fold = createReferenceFold({ plan: planned, functions, upcasters, zone: ZONE });
  for (const block of log.read(log.start(), views.position())) fold.step(block);
  for (const view of planned.views) {
    const columns = view.root.schema.columns.filter((_, i) => !view.hidden?.includes(i));
    const json = rowText.json(columns, 'string');
    const changes = fold.takeChanges(view.name);
    const rows = view.kind === 'append' ? changes : fold.rows(view.name);
    expect(
      [...views.open(view.name).scan()].map(r => json(r.row)),
      `rows of ${view.name}`,
    ).toEqual(rows.map(r => json(r.row.slice(0, columns.length))));
    // a topic keeps what an earlier text of its view wrote
    if (view.sink === null || view.name === CHANGING) continue;
    const encode = sinkEncoder(view, planned);
    const written = log.readTopic(view.sink.topic, { limit: ALL });
    const shown = (r: { key: Uint8Array | null; value: Uint8Array | null; timestamp: number }): string =>
      `${text(r.key)} ${r.value === null ? 'null' : text(r.value)} ${r.timestamp}`;
    expect(written.map(shown), `records of ${view.sink.topic}`).toEqual(changes.map(c => shown(encode(c))));
  }
}
