import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import { Ledger } from '../dataflow/ledger.ts';
import type { LiveVersion, PublishedEpoch, SinkOutput } from '../dataflow/live/live-loop.ts';
import {
  type FromBuild,
  type FromLive,
  SharedPositions,
  type WorkerSetup,
} from '../dataflow/live/protocol.ts';
import { viewDir } from '../dataflow/worker-environment.ts';
import type { EventLog } from '../log/event-log.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { openViewFileReader } from '../view-store/view-file.ts';
import { BuildHandle } from './build-handle.ts';
import { LiveHandle } from './live-handle.ts';
import { inReadOrder, type PlannedViews, withUpstream } from './planned-views.ts';
import { PositionWaiters } from './position-waiters.ts';
import { ServedVersion } from './served-version.ts';

export interface DeploymentOptions {
  readonly dataDir: string;
  readonly log: EventLog;
  readonly clock: Clock;
  /** URLs of modules with own functions and upcasters, loaded by each worker */
  readonly extensions: readonly string[];
  readonly zone: string;
  /** a problem that an operator must know: `text` is one paragraph */
  readonly report: (text: string) => void;
}

export interface BuildJob {
  readonly id: number;
  readonly built: readonly LiveVersion[];
  readonly sources: PlannedViews['sources'];
  readonly startedAt: number;
  readonly target: number;
  position: number;
  phase: 'building' | 'adopting' | 'cancelling';
}

/** at least this often the log's clock moves, ms */
const TICK_EVERY = 60_000;
const MAX_RESTARTS = 3;

/**
 * The running views: the live worker with what it serves, and at most one shadow build. It does as it is told
 * (`build`, `retire`, `cancel`); what to build when is decided in `view-manager.ts`.
 */
export class Deployment {
  readonly #options: DeploymentOptions;
  readonly #setup: WorkerSetup;
  readonly #positions: SharedPositions;
  readonly #served = new Map<string, ServedVersion>();
  readonly #texts = new Map<string, string>();
  readonly #waiters = new PositionWaiters();
  readonly #builder: BuildHandle;
  readonly #settled: (job: BuildJob, failure: string | null) => void;
  #live: LiveHandle;
  #ledger = new Ledger();
  #sources: PlannedViews['sources'] = [];
  #position: number;
  #job: BuildJob | null = null;
  #retiring: readonly string[] = [];
  #jobs = 0;
  #deadline: number | null = null;
  #tick: NodeJS.Timeout | null = null;
  #unsubscribe: () => void;
  #restarts = 0;
  #stopped = false;

  private constructor(
    options: DeploymentOptions,
    setup: WorkerSetup,
    { handle, ready }: Awaited<ReturnType<typeof LiveHandle.start>>,
    settled: (job: BuildJob, failure: string | null) => void,
  ) {
    this.#options = options;
    this.#setup = setup;
    this.#positions = new SharedPositions(setup.shared);
    this.#settled = settled;
    this.#live = handle;
    this.#position = ready.position;
    this.#positions.shown = ready.position;
    this.#ledger.load(ready.ledger);
    this.#builder = new BuildHandle(setup, message => this.#fromBuild(message));
    for (const version of ready.versions) this.#serve(version, ready.position);
    this.#attach();
    this.#unsubscribe = options.log.onFlushed(end => {
      this.#positions.flushed = end;
      this.#live.flushed();
    });
    this.#schedule(ready.deadline);
  }

  /** `settled` is called when a build ended: adopted (failure null), failed or cancelled. */
  static async start(
    options: DeploymentOptions,
    settled: (job: BuildJob, failure: string | null) => void,
  ): Promise<Deployment> {
    mkdirSync(join(options.dataDir, 'state', 'views'), { recursive: true });
    const setup: WorkerSetup = {
      dataDir: options.dataDir,
      extensions: options.extensions,
      zone: options.zone,
      shared: SharedPositions.allocate(),
    };
    new SharedPositions(setup.shared).flushed = options.log.end();
    const started = await LiveHandle.start(setup);
    const deployment = new Deployment(options, setup, started, settled);
    deployment.#removeLeftovers();
    deployment.#live.flushed();
    return deployment;
  }

  get position(): number {
    return this.#position;
  }

  get job(): BuildJob | null {
    return this.#job;
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  served(name: string): ServedVersion | undefined {
    return this.#served.get(name);
  }

  get plans(): readonly ViewPlan[] {
    return [...this.#served.values()].map(v => v.plan);
  }

  /** the file text that the served version was made from */
  text(name: string): string | undefined {
    return this.#texts.get(name);
  }

  waitFor(seq: number, ms: number): Promise<boolean> {
    return this.#waiters.wait(this.#position, seq, ms);
  }

  sizes(): ReturnType<LiveHandle['sizes']> {
    return this.#live.sizes();
  }

  /** Starts a shadow build of these views; there must be no other. */
  build(planned: PlannedViews, names: readonly string[], texts: ReadonlyMap<string, string>): BuildJob {
    const { log, clock } = this.#options;
    const id = ++this.#jobs;
    const startedAt = clock.now();
    const closure = withUpstream(names, planned.views);
    this.#prepareTopics(planned.sources, closure);
    const built = closure
      .filter(v => names.includes(v.name))
      .map(plan => ({
        plan,
        text: texts.get(plan.name) ?? plan.sql,
        version: `${encodeURIComponent(plan.name)}@${plan.fingerprint.slice(0, 16)}-${startedAt.toString(36)}${id}`,
      }));
    const job: BuildJob = {
      id,
      built,
      sources: planned.sources,
      startedAt,
      target: log.end(),
      position: log.start(),
      phase: 'building',
    };
    this.#job = job;
    this.#builder.build({
      id,
      plan: { sources: planned.sources, views: closure },
      built,
      fillTopics: built
        .filter(v => v.plan.sink !== null && !this.#served.has(v.plan.name))
        .map(v => v.plan.name),
    });
    return job;
  }

  cancel(): void {
    if (this.#job?.phase !== 'building') return;
    this.#job.phase = 'cancelling';
    this.#builder.cancel(this.#job.id);
  }

  /** Stops serving views that nobody reads; there must be no build. */
  retire(names: readonly string[]): void {
    const left = this.plans.filter(p => !names.includes(p.name));
    this.#retiring = names;
    this.#live.adopt({ plan: { sources: this.#sources, views: inReadOrder(left) }, build: null });
  }

  get retiring(): boolean {
    return this.#retiring.length > 0;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    if (this.#tick !== null) clearTimeout(this.#tick);
    await this.#builder.stop();
    await this.#live.stop();
    this.#waiters.cancel();
    for (const version of this.#served.values()) await version.close();
  }

  #attach(): void {
    this.#live.listen({
      epoch: epoch => this.#epoch(epoch),
      folded: position => {
        for (const version of this.#served.values()) version.folded(position);
      },
      adopted: message => this.#adopted(message),
      failed: message => void this.#restart(message),
    });
  }

  #epoch(epoch: PublishedEpoch): void {
    // after a restart of the worker epochs come again: what readers have seen stays
    if (epoch.position <= this.#position) return;
    const changed = new Map(epoch.changes.map(c => [c.view, c.bytes]));
    for (const entry of epoch.ledger) if (entry.seq >= this.#position) this.#ledger.add(entry);
    for (const [name, version] of this.#served) version.apply(changed.get(name) ?? null, epoch.position);
    this.#write(epoch.outputs, epoch.position);
    this.#moveTo(epoch.position);
    this.#schedule(epoch.deadline);
    this.#restarts = 0;
  }

  #moveTo(position: number): void {
    this.#position = position;
    this.#positions.shown = position;
    this.#waiters.reached(position);
  }

  /** Derived topics: each record once, by the sequence that caused it. */
  #write(outputs: readonly SinkOutput[], position: number): void {
    const { log } = this.#options;
    for (const { view, records } of outputs) {
      const sink = this.#sinkOf(view);
      if (sink === null) continue;
      const handler = `sink/${view}`;
      const from = log.position(handler) ?? 0;
      const fresh = records.filter(r => r.seq >= from);
      if (fresh.length === 0) continue;
      const append = log.append({
        records: fresh.map(r => ({ topic: sink.topic, key: r.key, value: r.value, timestamp: r.timestamp })),
        positions: [{ handler, seq: position }],
      });
      append.durable.catch(error =>
        this.#options.report(`the topic of ${view} could not be written: ${error}`),
      );
    }
  }

  #sinkOf(view: string): ViewPlan['sink'] {
    const building = this.#job?.built.find(v => v.plan.name === view)?.plan;
    return (building ?? this.#served.get(view)?.plan)?.sink ?? null;
  }

  #fromBuild(message: FromBuild): void {
    const job = this.#job;
    if (job === null || message.id !== job.id) return;
    switch (message.type) {
      case 'progress':
        job.position = message.position;
        break;
      case 'outputs':
        this.#write(message.outputs, message.position);
        break;
      case 'finished': {
        if (job.phase === 'cancelling') break; // `cancelled` follows
        job.phase = 'adopting';
        job.position = message.build.position;
        const replaced = new Set(job.built.map(v => v.plan.name));
        const views = [...this.plans.filter(p => !replaced.has(p.name)), ...job.built.map(v => v.plan)];
        this.#live.adopt({ plan: { sources: job.sources, views: inReadOrder(views) }, build: message.build });
        break;
      }
      case 'cancelled':
      case 'failed':
        this.#job = null;
        for (const { version } of job.built) this.#removeVersion(version);
        this.#settled(job, message.type === 'failed' ? message.message : 'cancelled');
        break;
    }
  }

  #adopted(message: Extract<FromLive, { type: 'adopted' }>): void {
    const job = this.#job;
    this.#ledger = new Ledger();
    this.#ledger.load(message.ledger);
    if (job !== null && job.phase === 'adopting') {
      this.#sources = job.sources;
      for (const version of job.built) {
        this.#drop(version.plan.name);
        const served = this.#serve(version, job.position);
        for (const c of message.carried)
          if (c.view === version.plan.name) served.apply(c.bytes, message.position);
        served.apply(null, message.position);
      }
      this.#write(message.outputs, message.position);
      for (const { plan } of job.built) this.#closeSink(plan, message.position);
    }
    for (const name of this.#retiring) this.#drop(name);
    this.#retiring = [];
    this.#moveTo(Math.max(this.#position, message.position));
    this.#schedule(message.deadline);
    this.#job = null;
    if (job !== null) this.#settled(job, null);
  }

  /** A view whose topic is complete up to here never writes older records again, whatever is rebuilt later. */
  #closeSink(plan: ViewPlan, position: number): void {
    if (plan.sink === null || (this.#options.log.position(`sink/${plan.name}`) ?? 0) >= position) return;
    this.#options.log
      .append({ records: [], positions: [{ handler: `sink/${plan.name}`, seq: position }] })
      .durable.catch(error => this.#options.report(String(error)));
  }

  #serve(version: LiveVersion, position: number): ServedVersion {
    const reader = openViewFileReader(viewDir(this.#options.dataDir, version.version));
    const served = new ServedVersion(version, reader, position);
    this.#served.set(version.plan.name, served);
    this.#texts.set(version.plan.name, version.text);
    return served;
  }

  #drop(name: string): void {
    const old = this.#served.get(name);
    if (old === undefined) return;
    this.#served.delete(name);
    this.#texts.delete(name);
    void old.close().then(() => this.#removeVersion(old.version));
  }

  #removeVersion(version: string): void {
    rmSync(viewDir(this.#options.dataDir, version), { recursive: true, force: true });
  }

  /** Files of builds that a crash cut short. */
  #removeLeftovers(): void {
    const live = new Set([...this.#served.values()].map(v => v.version));
    const folder = join(this.#options.dataDir, 'state', 'views');
    for (const name of readdirSync(folder)) {
      if (!live.has(name)) rmSync(join(folder, name), { recursive: true, force: true });
    }
  }

  #prepareTopics(sources: PlannedViews['sources'], views: readonly ViewPlan[]): void {
    const { log } = this.#options;
    for (const { topic, partitions } of [
      ...sources,
      ...views.flatMap(v => (v.sink === null ? [] : [v.sink])),
    ]) {
      if (log.topic(topic) === null) log.createTopic({ name: topic, partitions, keyIndex: false });
    }
  }

  /** A tick at the next deadline of a live view, and at least once a minute. */
  #schedule(deadline: number | null): void {
    this.#deadline = deadline;
    if (this.#stopped) return;
    const { clock, log } = this.#options;
    const now = clock.now();
    const next = Math.min(
      deadline ?? Number.POSITIVE_INFINITY,
      Math.max(log.lastAppendTime(), now - TICK_EVERY) + TICK_EVERY,
    );
    if (this.#tick !== null) clearTimeout(this.#tick);
    this.#tick = setTimeout(() => this.#onTick(), Math.min(Math.max(next - now, 0), TICK_EVERY));
  }

  #onTick(): void {
    const { clock, log } = this.#options;
    const now = clock.now();
    const last = log.lastAppendTime();
    const due = this.#deadline !== null && this.#deadline <= now && last < this.#deadline;
    if (due || now - last >= TICK_EVERY) {
      log.tick(now).durable.catch(error => this.#options.report(`the clock could not be written: ${error}`));
    }
    // a deadline that the log has passed already is settled by the next epoch, not by another tick
    this.#schedule(this.#deadline !== null && this.#deadline > now ? this.#deadline : null);
  }

  async #restart(message: string): Promise<void> {
    if (this.#stopped) return;
    this.#options.report(`the live worker failed: ${message}`);
    if (++this.#restarts > MAX_RESTARTS) {
      this.#options.report('the live worker failed repeatedly: views stay as they are until the next start');
      return;
    }
    await this.#live.stop();
    const { handle, ready } = await LiveHandle.start(this.#setup);
    this.#live = handle;
    this.#attach();
    const known = new Map(ready.versions.map(v => [v.version, v]));
    for (const [name, version] of this.#served) if (!known.has(version.version)) this.#drop(name);
    if (this.#job?.phase === 'adopting') {
      const job = this.#job;
      this.#job = null;
      this.#settled(job, message);
    }
    handle.flushed();
  }
}

/** For statuses: a view that is asked for before its first build is done. */
export function notReady(name: string, job: BuildJob | null, now: number): MillraceError {
  const fraction = job === null || job.target === 0 ? 0 : Math.min(1, job.position / job.target);
  return new MillraceError(
    'view_building',
    `view "${name}" is being built: ${Math.floor(fraction * 100)} %`,
    {
      hint: 'ask again in a moment; the rows are served as soon as history is replayed',
      data: {
        view: name,
        fraction,
        position: job?.position ?? 0,
        target: job?.target ?? 0,
        since: job?.startedAt ?? now,
      },
    },
  );
}
