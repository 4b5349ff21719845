import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { logDir } from '../../src/dataflow/worker-environment.ts';
import { missedChanges } from '../../src/deploy/missed-changes.ts';
import { jsonWriter } from '../../src/expr/value-json.ts';
import type { StoredLog } from '../../src/log/embedded/embedded-log.ts';
import { restoreLog } from '../../src/log/embedded/restore.ts';
import { fileSink } from '../../src/sinks/file/file-target.ts';
import type { SinkKind, SinkTarget } from '../../src/sinks/sink-target.ts';
import { Sinks } from '../../src/sinks/sinks.ts';
import { sunkViews } from '../../src/sunk-views.ts';
import {
  type DataFolder,
  dataFolder,
  EXTENSIONS,
  manyOrders,
  type Running,
  start,
} from '../deploy/data-folder.ts';
import { until } from '../until.ts';

const VIEWS = {
  totals: 'CREATE TABLE totals AS SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer;',
  large: 'CREATE STREAM large AS SELECT id, customer, amount FROM orders WHERE amount > 50;',
  few: 'SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer HAVING COUNT(*) < 40;',
};

type Made = { kind: SinkKind; readonly waits: number[]; readonly reports: string[] };

/** A sink of a view into a file, over one run of the views. */
class Sunk {
  readonly sinks: Sinks;
  readonly made: Made;
  readonly #path: string;
  readonly #view: string;

  constructor(
    running: Running,
    view: string,
    change: (kind: SinkKind) => SinkKind = kind => kind,
    path = pathOf(running.folder, view),
  ) {
    const { log, views, folder } = running;
    this.#view = view;
    this.#path = path;
    const plans = () => views.deployment.plans;
    const missed = missedChanges({ dataDir: folder.dir, extensions: EXTENSIONS, zone: 'UTC', plans });
    const json = (type: Parameters<typeof jsonWriter>[0]) => jsonWriter(type, { numbers: 'json' });
    const kind = change(fileSink({ sink: view, path: this.#path, json }));
    this.made = { kind, waits: [], reports: [] };
    this.sinks = new Sinks({
      sinks: [{ name: view, view, kind }],
      log,
      views: sunkViews({ log, views, plans, missed }),
      report: text => this.made.reports.push(text),
      wait: ms => {
        this.made.waits.push(ms);
        return new Promise(resolve => setImmediate(resolve));
      },
    });
    onTestFinished(() => this.sinks.stop());
    this.sinks.start();
  }

  get status() {
    return this.sinks.status(this.#view);
  }

  /** The rows in the file are the view's, all of the log. */
  async expectEqual(running: Running): Promise<void> {
    await running.caughtUp();
    expect(await this.sinks.reaches(this.#view, running.log.end(), 60_000), JSON.stringify(this.status)).toBe(
      true,
    );
    expect(rowsIn(this.#path)).toEqual(
      running
        .rows(this.#view)
        .map(r => JSON.stringify(r))
        .sort(),
    );
  }
}

function pathOf(folder: DataFolder, view: string): string {
  return join(folder.dir, 'sinks', `${view}.ndjson`);
}

function rowsIn(path: string): string[] {
  const rows = new Map<string, string>();
  const [head = '', ...lines] = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  const { key } = JSON.parse(head) as { readonly key: readonly string[] };
  for (const line of lines) {
    const { put, id, delete: gone } = JSON.parse(line);
    const name = id ?? JSON.stringify(key.map(k => (put ?? gone)?.[k]));
    if (put) rows.set(name, JSON.stringify(Object.values(put)));
    else if (gone) rows.delete(name);
  }
  return [...rows.values()].sort();
}

describe('a view kept elsewhere', () => {
  it.each(Object.keys(VIEWS))('equals the view: %s', async view => {
    const running = await start(dataFolder(VIEWS));
    await running.orders(manyOrders(250));
    await running.caughtUp();
    const sunk = new Sunk(running, view);
    await sunk.expectEqual(running);
    expect(sunk.status).toMatchObject({ state: 'running', loads: 1, behind: 0, failure: null });
    for (let i = 1; i < 4; i++) {
      await running.orders(manyOrders(30, i * 250));
      await sunk.expectEqual(running);
    }
    expect(sunk.status.loads).toBe(1);
  });

  it.each(Object.keys(VIEWS))(
    'goes on after a restart with what it missed, without a load: %s',
    async view => {
      const folder = dataFolder(VIEWS);
      const first = await start(folder);
      await first.orders(manyOrders(100));
      const sunk = new Sunk(first, view);
      await sunk.expectEqual(first);
      await sunk.sinks.stop();
      await first.orders(manyOrders(150, 100));
      await first.caughtUp();
      await first.stop();
      const second = await start(folder);
      await second.orders(manyOrders(20, 250));
      const again = new Sunk(second, view);
      await again.expectEqual(second);
      expect(again.status).toMatchObject({ state: 'running', loads: 0 });
      expect(again.status.changes).toBeGreaterThan(0);
    },
  );

  it('loads the rows anew when what it missed was trimmed from the log', async () => {
    const folder = dataFolder(VIEWS);
    const first = await start(folder);
    await first.orders(manyOrders(50));
    const sunk = new Sunk(first, 'totals');
    await sunk.expectEqual(first);
    await sunk.sinks.stop();
    await first.orders(manyOrders(150, 50));
    await first.caughtUp();
    await first.log.trim({ topic: 'orders', before: first.log.end(), by: 'test', incomplete: [] });
    await first.stop();
    const second = await start(folder);
    const again = new Sunk(second, 'totals');
    await again.expectEqual(second);
    expect(again.status.loads).toBe(1);
    expect(again.made.reports).toEqual([expect.stringContaining('the rows are loaded anew')]);
  });

  it.each([
    ['behind the backup', 10],
    ['ahead of the backup, with changes that are not there', 60],
  ])('loads the rows anew over a log that was put back from a backup: of a sink %s', async (_, seen) => {
    const folder = dataFolder(VIEWS);
    const old = await start(folder);
    await old.orders(manyOrders(10));
    const sunk = new Sunk(old, 'totals');
    await sunk.expectEqual(old);
    if (seen === 10) await sunk.sinks.stop();
    await old.orders(manyOrders(20, 10));
    await old.caughtUp();
    const backup = join(folder.dir, 'backup');
    await (old.log as StoredLog).backUp({ folder: backup });
    await old.orders(manyOrders(30, 30));
    if (seen === 60) await sunk.expectEqual(old);
    await sunk.sinks.stop();
    await old.stop();

    const other = dataFolder(VIEWS);
    await restoreLog({ backup, dir: logDir(other.dir), data: other.dir });
    const restored = await start(other);
    // beyond the place where the sink stands, and other records
    await restored.orders(manyOrders(100, 1_000));
    await restored.caughtUp();
    const again = new Sunk(restored, 'totals', undefined, pathOf(folder, 'totals'));
    await again.expectEqual(restored);
    expect(again.status).toMatchObject({ state: 'running', loads: 1 });
    await again.sinks.stop();

    // the old server, started once more, leaves the rows of the restored one alone
    const zombie = await start(folder);
    const late = new Sunk(zombie, 'totals');
    await until('it is refused', () => late.status.failure?.code === 'sink_conflict');
  });

  it('loads the rows of a rebuilt view, and goes on with it', async () => {
    const folder = dataFolder(VIEWS);
    const running = await start(folder, { watch: true });
    await running.orders(manyOrders(100));
    await running.caughtUp();
    const sunk = new Sunk(running, 'totals');
    await sunk.expectEqual(running);
    folder.write(
      'totals',
      'CREATE TABLE totals AS SELECT customer, SUM(amount) AS n FROM orders GROUP BY customer;',
    );
    await until('the new rows are loaded', () => sunk.status.loads === 2);
    await running.orders(manyOrders(50, 100));
    await sunk.expectEqual(running);
    await running.views.replay('totals');
    await until('a replay is loaded too', () => sunk.status.loads === 3);
    await sunk.expectEqual(running);
  });

  it('waits for the first version of its view', async () => {
    const folder = dataFolder({});
    const running = await start(folder, { watch: true });
    const sunk = new Sunk(running, 'totals');
    await until('it waits', () => sunk.made.waits.length > 3);
    expect(sunk.status).toMatchObject({ state: 'waiting', position: null });
    folder.write('totals', VIEWS.totals);
    await until('it runs', () => sunk.status.state === 'running');
    await running.orders(manyOrders(10));
    await sunk.expectEqual(running);
  });

  it('reaches a position at which its view did not change', async () => {
    const running = await start(dataFolder(VIEWS));
    running.log.createTopic({ name: 'other', partitions: 1, keyIndex: false });
    await running.orders(manyOrders(10));
    await running.caughtUp();
    const sunk = new Sunk(running, 'totals');
    await sunk.expectEqual(running);
    const { changes } = sunk.status;
    const reached = sunk.sinks.reaches('totals', running.log.end() + 1, 60_000);
    await running.log.append({ records: [{ topic: 'other', key: null, value: null }] }).durable;
    expect(await reached).toBe(true);
    expect(await sunk.sinks.reaches('totals', running.log.end() + 10, 10)).toBe(false);
    expect(sunk.status.changes).toBe(changes);
  });

  it('is tried again when the place fails, ever more slowly, and loses and doubles nothing', async () => {
    const running = await start(dataFolder(VIEWS));
    await running.orders(manyOrders(60));
    await running.caughtUp();
    const failing = new Failing();
    const sunk = new Sunk(running, 'large', kind => failing.around(kind));
    await until('it has failed', () => sunk.made.waits.length >= 9);
    expect(sunk.made.waits.slice(0, 9)).toEqual([
      250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
    expect(sunk.status).toMatchObject({
      state: 'retrying',
      position: null,
      failure: { message: 'no answer', code: 'internal' },
    });
    // one failure is told once
    expect(sunk.made.reports).toEqual(['sink large: no answer']);
    failing.rule = () => false;
    await sunk.expectEqual(running);
    // now and then a call fails, before or after it has done its work
    let calls = 0;
    failing.rule = () => ++calls % 3 === 0;
    for (let i = 1; i < 8; i++) {
      await running.orders(manyOrders(40, i * 100));
      await sunk.expectEqual(running);
    }
    failing.rule = () => false;
    await sunk.expectEqual(running);
    expect(calls).toBeGreaterThan(3);
  });

  it('has not reached a position while its changes are on their way', async () => {
    const running = await start(dataFolder(VIEWS));
    await running.orders(manyOrders(7));
    await running.caughtUp();
    const failing = new Failing();
    failing.rule = () => false;
    const sunk = new Sunk(running, 'totals', kind => failing.around(kind));
    await sunk.expectEqual(running);
    const { promise, resolve } = Promise.withResolvers<void>();
    failing.before = promise;
    await running.orders(manyOrders(1, 7));
    const end = running.log.end();
    expect(await running.views.waitFor(end, 60_000)).toBe(true);
    expect(await sunk.sinks.reaches('totals', end, 50)).toBe(false);
    expect(sunk.status.behind).toBeGreaterThan(0);
    // meanwhile the view comes to a position at which it does not change
    const further = sunk.sinks.reaches('totals', end + 1, 60_000);
    running.log.createTopic({ name: 'other', partitions: 1, keyIndex: false });
    await running.log.append({ records: [{ topic: 'other', key: null, value: null }] }).durable;
    await running.views.waitFor(end + 1, 60_000);
    resolve();
    expect(await further).toBe(true);
    await sunk.expectEqual(running);
  });

  it('writes what waits together when the place is slow', async () => {
    const running = await start(dataFolder(VIEWS));
    await running.orders(manyOrders(7));
    await running.caughtUp();
    const failing = new Failing();
    failing.rule = () => false;
    const sunk = new Sunk(running, 'totals', kind => failing.around(kind));
    await sunk.expectEqual(running);
    const { promise, resolve } = Promise.withResolvers<void>();
    failing.before = promise;
    const { changes } = sunk.status;
    for (let i = 1; i < 40; i++) await running.orders(manyOrders(7, i * 7));
    await running.caughtUp();
    expect(sunk.status.behind).toBeGreaterThan(0);
    resolve();
    await sunk.expectEqual(running);
    // 40 counts of 7 customers: those of the first call, and the last ones
    expect(sunk.status.changes - changes).toBeLessThanOrEqual(14);
  });
});

/** Makes calls of targets fail by a rule: every second one after it has done its work, as when an answer is lost. */
class Failing {
  rule: () => boolean = () => true;
  before: Promise<void> = Promise.resolve();
  #failures = 0;

  around(kind: SinkKind): SinkKind {
    const call = async <T>(work: () => Promise<T>): Promise<T> => {
      await this.before;
      if (!this.rule()) return work();
      if (this.#failures++ % 2 === 1) await work();
      throw new Error('no answer');
    };
    return {
      place: kind.place,
      make: events => {
        const inner = kind.make(events);
        const outer: SinkTarget = {
          open: view => call(() => inner.open(view)),
          load: view => call(() => inner.load(view)),
          apply: (changes, from, to) => call(() => inner.apply(changes, from, to)),
          close: () => inner.close(),
        };
        return outer;
      },
    };
  }
}
