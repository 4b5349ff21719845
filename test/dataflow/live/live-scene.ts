import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { ManualClock } from '../../../src/core/clock.ts';
import type { Row } from '../../../src/core/value.ts';
import { type BuildPorts, ShadowBuild } from '../../../src/dataflow/build/shadow-build.ts';
import type { Engine } from '../../../src/dataflow/dataflow.ts';
import { createEngine } from '../../../src/dataflow/engine/engine.ts';
import type { FinishedBuild } from '../../../src/dataflow/live/build-catch-up.ts';
import type {
  LiveCatalog,
  LiveNotes,
  LiveVersion,
  PublishedEpoch,
  ViewFault,
} from '../../../src/dataflow/live/epoch-output.ts';
import { LiveLoop } from '../../../src/dataflow/live/live-loop.ts';
import type { LiveLoopPorts } from '../../../src/dataflow/live/live-view.ts';
import { SinkWriter } from '../../../src/dataflow/live/sink-writer.ts';
import { ViewRowDecoder, ViewRowEncoder } from '../../../src/dataflow/live/view-rows.ts';
import { createReferenceFold } from '../../../src/dataflow/reference/reference-fold.ts';
import { sinkEncoder } from '../../../src/dataflow/sink-encoder.ts';
import { standardLibrary } from '../../../src/expr/library.ts';
import type { KeyValueStore } from '../../../src/kv/key-value-store.ts';
import { openLmdbStore } from '../../../src/kv/lmdb-store.ts';
import { directScan } from '../../../src/log/direct-scan.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import type { DeploymentPlan } from '../../../src/plan/plan.ts';
import { topicEntered } from '../../../src/plan/properties.ts';
import { planScript } from '../../../src/plan/script.ts';
import { Journal } from '../../../src/state/journal.ts';
import { ServedRows } from '../../../src/view-store/served-rows.ts';
import { ViewFile, viewFileRows } from '../../../src/view-store/view-file.ts';

export const ZONE = 'UTC';

/** Orders, and views that read them and each other: a table, a derived stream with a topic, a table and a view over it. */
export const SCRIPT = `
  CREATE STREAM orders (id STRING KEY, customer STRING, amount INT)
    WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON', KEY_FORMAT = 'KAFKA', PARTITIONS = 1);
  CREATE TABLE totals WITH (VALUE_FORMAT = 'JSON') AS
    SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer;
  CREATE STREAM large AS SELECT id, customer, amount FROM orders WHERE amount > 50;
  CREATE TABLE large_totals AS SELECT customer, COUNT(*) AS n, MAX(amount) AS most FROM large GROUP BY customer;
  CREATE TABLE frequent AS SELECT customer, COUNT(*) AS n FROM orders
    WINDOW TUMBLING (SIZE 1 DAY) GROUP BY customer HAVING COUNT(*) > 3;
  CREATE VIEW later AS SELECT id, amount FROM orders
    WHERE DATEADD(DAYS, amount, CAST('2023-10-01' AS DATE)) < CURRENT_DATE;
  CREATE VIEW small AS SELECT id, amount FROM orders WHERE amount <= 50;`;

export function planOf(script: string): DeploymentPlan {
  const { plan, errors } = planScript(
    { file: 'views.sql', text: script },
    { functions: standardLibrary, zone: ZONE },
  );
  expect(errors.map(e => e.message)).toEqual([]);
  return plan as DeploymentPlan;
}

/** The process dies before or after a write to a store. */
export class Crash extends Error {}

/** Rows as a reader sees them. */
export interface SeenRow {
  readonly row: Row;
  readonly rowtime: number;
}

/**
 * A data folder with a real log, journal and view files, the live loop over them, and a serving side that keeps overlays
 * as the main thread does.
 */
export class Scene {
  readonly dir: string;
  readonly log: EventLog;
  readonly clock: ManualClock;
  readonly epochs: PublishedEpoch[] = [];
  readonly faults: { readonly view: string; readonly fault: ViewFault }[] = [];
  readonly warnings: string[] = [];
  /** what the serving thread says; null: it is up to date */
  shown: number | null = null;
  written: number | null = null;
  /** dies at this write, counted from 1, counting the moments before and after each one */
  crashAt = 0;
  writes = 0;
  /** what is done between the end of a write to a store and the news of it */
  beforeNews: () => void = () => {};
  /** lets an engine go wrong in a view */
  breaking: (plan: DeploymentPlan) => ((engine: Engine) => Engine) | null = () => null;
  loop!: LiveLoop;
  #served = new Map<string, { version: LiveVersion; rows: ServedRows; position: number }>();
  #stores: KeyValueStore[] = [];
  #builds = 0;

  private constructor(dir: string, log: EventLog, clock: ManualClock) {
    this.dir = dir;
    this.log = log;
    this.clock = clock;
  }

  static async open(): Promise<Scene> {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-live-'));
    const clock = new ManualClock(1_700_000_000_000);
    const log = await openEmbeddedLog({ dir: join(dir, 'log'), clock });
    log.createTopic({ name: 'orders', partitions: 1, keyIndex: false });
    const scene = new Scene(dir, log, clock);
    onTestFinished(async () => {
      await scene.closeStores();
      await log.close();
      rmSync(dir, { recursive: true, force: true });
    });
    scene.start();
    return scene;
  }

  /** Appends orders; resolves when they are durable. */
  async orders(
    ...orders: readonly (readonly [id: string, customer: string, amount: number])[]
  ): Promise<void> {
    const text = (s: string): Uint8Array => new TextEncoder().encode(s);
    let durable: Promise<void> = Promise.resolve();
    for (const [id, customer, amount] of orders) {
      const value = text(JSON.stringify({ customer, amount }));
      durable = this.log.append({
        records: [{ topic: 'orders', key: text(id), value, timestamp: this.clock.now() }],
      }).durable;
    }
    await durable;
  }

  /** Appends records that are no orders. */
  async garbage(n: number): Promise<void> {
    const record = {
      topic: 'orders',
      key: null,
      value: new TextEncoder().encode('{"amount": "no'),
      timestamp: 1,
    };
    await this.log.append({ records: Array.from({ length: n }, () => record) }).durable;
  }

  /** Starts from what the folder holds, as a new process does. */
  start(): void {
    this.#served.clear();
    this.loop = LiveLoop.recover(this.ports());
    for (const version of this.loop.versions) this.#serve(version, this.loop.position);
  }

  ports(): LiveLoopPorts & BuildPorts {
    return {
      log: this.log,
      openScan: () => directScan(this.log),
      journal: new Journal<LiveCatalog, LiveNotes>(this.#store('journal'), this.log.id),
      makeEngine: plan => {
        const engine = createEngine({ plan, functions: standardLibrary, zone: ZONE });
        return this.breaking(plan)?.(engine) ?? engine;
      },
      openFile: version => new ViewFile(this.#store(version)),
      foldAfter: 100_000,
      encoderFor: plan => new ViewRowEncoder(plan),
      sinkFor: (view, plan) =>
        view.sink === null ? null : new SinkWriter(sinkEncoder(view, plan), topicEntered(view)),
      publish: epoch => {
        this.epochs.push(epoch);
        const changed = new Map(epoch.changes.map(c => [c.view, c.bytes]));
        for (const [name, served] of this.#served) {
          if (this.faults.some(f => f.view === name)) continue;
          served.rows.apply(changed.get(name) ?? null, epoch.position);
        }
      },
      setAside: faults => this.faults.push(...faults),
      shown: () => this.shown ?? this.loop?.position ?? 0,
      written: () => this.written ?? this.loop?.position ?? 0,
      warn: text => this.warnings.push(text),
    };
  }

  /** Everything in the log goes through the live views. */
  catchUp(): void {
    while (this.loop.advance());
  }

  /** Commits; a reader sees what is in the files from the next turn on. */
  async commit(): Promise<void> {
    const committed = this.loop.commit();
    expect(committed).not.toBeNull();
    const position = (await committed) as number;
    for (const { rows } of this.#served.values()) rows.folded(position);
  }

  /** A shadow build of these views of a plan up to the end of the log now. */
  build(plan: DeploymentPlan, names = plan.views.map(v => v.name), fillTopics: readonly string[] = []) {
    const tag = ++this.#builds;
    const built = plan.views
      .filter(v => names.includes(v.name))
      .map(v => ({ plan: v, version: `${v.name}@${tag}`, text: v.sql }));
    return new ShadowBuild(this.ports(), { plan, built, fillTopics });
  }

  built(plan: DeploymentPlan, names?: readonly string[]): FinishedBuild {
    const build = this.build(plan, names as string[]);
    while (!build.caughtUp) build.advance();
    return build.finish();
  }

  adopt(plan: DeploymentPlan, build: FinishedBuild | null): ReturnType<LiveLoop['adopt']> {
    const adoption = this.loop.adopt(plan, build);
    for (const version of build?.built ?? []) {
      const served = this.#serve(version, this.loop.position);
      for (const { view, bytes } of adoption.carried) {
        if (view === version.plan.name) served.apply(bytes, this.loop.position);
      }
    }
    for (const name of [...this.#served.keys()]) {
      if (!plan.views.some(v => v.name === name)) this.#served.delete(name);
    }
    return adoption;
  }

  /** Builds and adopts all views of a script. */
  deploy(script: string): DeploymentPlan {
    const plan = planOf(script);
    this.adopt(plan, this.built(plan));
    return plan;
  }

  rows(view: string): SeenRow[] {
    const served = this.#served.get(view);
    expect(served, `view ${view} is served`).toBeDefined();
    const decoder = new ViewRowDecoder((served as { version: LiveVersion }).version.plan);
    return [...(served as { rows: ServedRows }).rows.scan({})].map(e => decoder.decode(e.value));
  }

  get views(): readonly string[] {
    return [...this.#served.keys()];
  }

  /** The rows of every served view are those of the reference fold over the log up to the position reached. */
  expectExact(plan: DeploymentPlan, why: string): void {
    const { views } = this;
    expect([...views].sort(), why).toEqual(plan.views.map(v => v.name).sort());
    for (const [name, rows] of foldedRows(plan, this.log, this.loop.position)) {
      expect(this.rows(name), `${why}: rows of ${name} at ${this.loop.position}`).toEqual(rows);
    }
  }

  /** Somebody removes the file of a version. */
  async forget(version: string): Promise<void> {
    this.#served.clear();
    await this.closeStores();
    rmSync(join(this.dir, 'state', version), { recursive: true });
  }

  async closeStores(): Promise<void> {
    for (const store of this.#stores.splice(0)) await store.close();
  }

  #serve(version: LiveVersion, position: number): ServedRows {
    const file = openLmdbStore({ path: join(this.dir, 'state', version.version), readOnly: true });
    this.#stores.push(file);
    const rows = new ServedRows(viewFileRows(file), position);
    this.#served.set(version.plan.name, { version, rows, position });
    return rows;
  }

  #store(name: string): KeyValueStore {
    const store = openLmdbStore({ path: join(this.dir, 'state', name) });
    this.#stores.push(store);
    const moment = (): void => {
      if (++this.writes === this.crashAt) throw new Crash(`at write ${this.writes}`);
    };
    return {
      get: key => store.get(key),
      range: range => store.range(range),
      flush: () => store.flush(),
      close: async () => {},
      write: work => {
        moment();
        const result = store.write(work);
        moment();
        return result;
      },
      writeLater: async changes => {
        moment();
        await store.writeLater(changes);
        this.beforeNews();
        moment();
      },
    };
  }
}

/** Rows of all views as the reference fold has them; of append views every row in order of the log. */
export function foldedRows(
  plan: DeploymentPlan,
  log: Pick<EventLog, 'read' | 'start'>,
  position: number,
): Map<string, SeenRow[]> {
  const fold = createReferenceFold({ plan, functions: standardLibrary, zone: ZONE });
  for (const block of log.read(log.start(), position)) fold.step(block);
  return new Map(
    plan.views.map(view => [
      view.name,
      view.kind === 'append'
        ? fold.takeChanges(view.name).map(({ row, rowtime }) => ({ row, rowtime }))
        : fold.rows(view.name).map(({ row, rowtime }) => ({ row, rowtime })),
    ]),
  );
}

/** Orders that differ, the same for the same seed. */
export function randomOrders(seed: number, n: number): [string, string, number][] {
  let state = seed >>> 0;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return Array.from({ length: n }, (_, i) => [`o${seed}-${i}`, `c${next(7)}`, next(100)]);
}
