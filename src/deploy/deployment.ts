import { mkdirSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import { faultPoint } from '../core/fault-points.ts';
import { Ledger } from '../dataflow/ledger.ts';
import type { FinishedBuild } from '../dataflow/live/build-catch-up.ts';
import type { LiveVersion, PublishedEpoch } from '../dataflow/live/epoch-output.ts';
import {
  type Failure,
  type FromBuild,
  type FromLive,
  SharedPositions,
  type WorkerSetup,
} from '../dataflow/live/protocol.ts';
import { viewDir, viewsDir } from '../dataflow/worker-environment.ts';
import type { EventLog } from '../log/event-log.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { openViewFileReader } from '../view-store/view-file.ts';
import { BuildHandle } from './build-handle.ts';
import { type BuildEnd, BuildJob } from './build-job.ts';
import { builtVersion } from './built-version.ts';
import { LiveHandle } from './live-handle.ts';
import { LogTicker } from './log-ticker.ts';
import { inReadOrder, type PlannedViews, withUpstream } from './planned-views.ts';
import { PositionWaiters } from './position-waiters.ts';
import { prepareTopics } from './prepared-topics.ts';
import { ServedVersion } from './served-version.ts';
import { SinkTopics } from './sink-topics.ts';
import { VersionFolders } from './version-folders.ts';
import { faultText, resumable } from './view-faults.ts';

export interface DeploymentOptions extends Pick<WorkerSetup, 'stuckAfter' | 'longBuild' | 'foldAfter'> {
  readonly dataDir: string;
  readonly log: EventLog;
  readonly clock: Clock;
  /** URLs of modules with own functions and upcasters, loaded by each worker */
  readonly extensions: readonly string[];
  readonly zone: string;
  /** bytes of operator state that all views together may have; one view is paused when they have more */
  readonly memoryBudget: number;
  /** a problem that an operator must know: `text` is one paragraph */
  readonly report: (text: string) => void;
}

export interface DeploymentListener {
  committed(): void;
  /** A row of a served view is not as it was written. Called while it is read. */
  damaged(view: string, error: Error): void;
  settled(job: BuildJob, end: BuildEnd): void;
  /** The views that were to be retired are gone; or not, and it may be tried again when `again`. */
  retired(again: boolean): void;
}

type Started = Awaited<ReturnType<typeof LiveHandle.start>>;

/** failures in a row after which a start is given up */
const MAX_RESTARTS = 3;
/** ms before a worker that failed is started anew, doubled each time */
const FIRST_WAIT = 25;
const LONGEST_WAIT = 30_000;
const FOREVER = 2 ** 31 - 1;

/**
 * The running views: the live worker with what it serves, and at most one shadow build. It does as it is told
 * (`build`, `retire`, `cancel`); what to build when is decided in `view-manager.ts`.
 */
export class Deployment {
  readonly #options: DeploymentOptions;
  readonly #setup: WorkerSetup;
  readonly #listener: DeploymentListener;
  readonly #positions: SharedPositions;
  readonly #served = new Map<string, ServedVersion>();
  readonly #waiters = new PositionWaiters();
  readonly #folders: VersionFolders;
  readonly #builder: BuildHandle;
  readonly #sinks: SinkTopics;
  readonly #ticker: LogTicker;
  readonly #unsubscribe: () => void;
  #live: LiveHandle;
  #ledger = new Ledger();
  #position: number;
  #committed: number;
  #job: BuildJob | null = null;
  #retiring: readonly string[] = [];
  #jobs = 0;
  #restarts = 0;
  #restarting = false;
  #started = false;
  #stopped = false;

  private constructor(
    options: DeploymentOptions,
    listener: DeploymentListener,
    setup: WorkerSetup,
    { handle, ready }: Started,
  ) {
    const { log, clock, report, dataDir } = options;
    this.#options = options;
    this.#listener = listener;
    this.#setup = setup;
    this.#positions = new SharedPositions(setup.shared);
    this.#live = handle;
    this.#folders = new VersionFolders(viewsDir(dataDir));
    this.#builder = new BuildHandle(setup, message => this.#fromBuild(message));
    this.#ticker = new LogTicker(log, clock, report);
    this.#sinks = new SinkTopics({
      log,
      report,
      onWritten: () => this.#positions.set('written', this.#sinks.writtenUpTo(this.#position)),
      onFailure: error => void this.#restart(`a derived topic could not be written: ${String(error)}`),
    });
    this.#position = ready.position;
    this.#committed = ready.position;
    this.#moveTo(ready.position);
    this.#ledger.load(ready.ledger);
    for (const version of ready.versions)
      this.#serve(resumable(version, options.memoryBudget), ready.position);
    this.#folders.keepOnly(ready.versions.map(v => v.version));
    this.#unsubscribe = log.onFlushed(end => {
      this.#positions.set('flushed', end);
      if (this.#positions.wake()) this.#live.flushed();
    });
    this.#attach();
    this.#ticker.deadline(ready.deadline);
  }

  /**
   * Resolves when the views have seen all that is in the log now: readers never meet older rows than before a restart.
   * Throws `data_corrupt` when the state in the data folder does not belong to the log.
   */
  static async start(options: DeploymentOptions, listener: DeploymentListener): Promise<Deployment> {
    const { dataDir, extensions, zone, memoryBudget, stuckAfter, longBuild, foldAfter, log } = options;
    mkdirSync(viewsDir(dataDir), { recursive: true });
    const shared = SharedPositions.allocate();
    const limits = { memoryBudget, stuckAfter, longBuild, foldAfter };
    const setup = { dataDir, extensions, zone, ...limits, shared, heldUp: [] };
    new SharedPositions(shared).set('flushed', log.end());
    const started = await LiveHandle.start(setup);
    let deployment: Deployment;
    try {
      deployment = new Deployment(options, listener, setup, started);
    } catch (error) {
      await started.handle.stop();
      throw error;
    }
    deployment.#live.flushed();
    if (await deployment.waitFor(log.end(), FOREVER)) {
      deployment.#started = true;
      return deployment;
    }
    await deployment.stop();
    throw new MillraceError('internal', 'the views could not be brought up to date', {
      hint: 'the log of the server says why; removing the folder state/ rebuilds every view',
    });
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

  get retiring(): boolean {
    return this.#retiring.length > 0;
  }

  served(name: string): ServedVersion | undefined {
    return this.#served.get(name);
  }

  /** after a crash the views go on from here or later */
  get committed(): number {
    return this.#committed;
  }

  get plans(): readonly ViewPlan[] {
    return [...this.#served.values()].map(v => v.plan);
  }

  /** the file text that the served version was made from */
  text(name: string): string | undefined {
    return this.#served.get(name)?.text;
  }

  waitFor(seq: number, ms: number): Promise<boolean> {
    return this.#waiters.wait(this.#position, seq, ms);
  }

  sizes(): ReturnType<LiveHandle['sizes']> {
    return this.#live.sizes();
  }

  /** Starts a shadow build of these views; there must be no other. Throws a {@link ViewFailure} for a bad topic. */
  build(planned: PlannedViews, names: readonly string[], texts: ReadonlyMap<string, string>): BuildJob {
    const { log, clock } = this.#options;
    const views = withUpstream(names, planned.views);
    prepareTopics(log, { sources: planned.sources, views }, this.#options.report);
    const id = ++this.#jobs;
    const startedAt = clock.now();
    const built = views
      .filter(v => names.includes(v.name))
      .map(plan => builtVersion(plan, { log, views, text: texts.get(plan.name), at: startedAt, id }));
    const fillTopics = built.map(v => v.plan).filter(p => this.#topicIsNew(p));
    const job = new BuildJob({
      id,
      built,
      sources: planned.sources,
      startedAt,
      from: log.start(),
      target: log.end(),
    });
    this.#builder.build({
      id,
      plan: { sources: planned.sources, views },
      built,
      fillTopics: fillTopics.map(p => p.name),
    });
    this.#job = job;
    return job;
  }

  cancel(): void {
    if (this.#job?.phase !== 'building') return;
    this.#job.phase = 'cancelling';
    this.#builder.cancel(this.#job.id);
  }

  /** Stops serving views that nobody reads; there must be no build. */
  retire(names: readonly string[], sources: PlannedViews['sources']): void {
    const left = this.plans.filter(p => !names.includes(p.name));
    this.#retiring = names;
    this.#live.adopt({ plan: { sources, views: inReadOrder(left) }, build: null });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ticker.stop();
    this.#unsubscribe();
    await this.#builder.stop();
    await this.#live.stop();
    this.#waiters.cancel();
    await this.#folders.close();
    for (const version of this.#served.values()) await version.close();
  }

  // ------------------------------------------------------------------ live

  #attach(): void {
    this.#live.listen({
      said: message => this.#fromLive(message),
      failed: message => void this.#restart(`the live worker failed: ${message}`),
    });
  }

  #fromLive(message: Exclude<FromLive, { type: 'ready' | 'unusable' | 'sizes' | 'failed' }>): void {
    switch (message.type) {
      case 'epoch':
        this.#epoch(message.epoch);
        break;
      case 'adopted':
        this.#adopted(message);
        break;
      case 'refused':
        this.#refused(message.failure);
        break;
      case 'setAside':
        for (const { view, fault } of message.faults) {
          this.#served.get(view)?.setAside(fault);
          this.#options.report(faultText(view, fault));
        }
        break;
      case 'committed':
        this.#committed = message.position;
        this.#listener.committed();
        for (const version of this.#served.values()) version.folded(message.position);
        this.#folders.removeObsolete().catch(error => this.#options.report(String(error)));
        break;
      case 'warning':
        this.#options.report(message.text);
        break;
    }
  }

  /** After a restart of the worker epochs come again: what readers have seen stays. */
  #epoch({ position, changes, outputs, ledger, deadline }: PublishedEpoch): void {
    const before = this.#position;
    const changed = new Map(changes.map(c => [c.view, c.bytes]));
    const moved = [...this.#served].filter(([name, v]) => v.apply(changed.get(name) ?? null, position));
    this.#sinks.live({ outputs, position, planOf: view => this.#served.get(view)?.plan ?? null });
    if (position > before) {
      for (const entry of ledger) if (entry.seq >= before) this.#ledger.add(entry);
      this.#moveTo(position);
      this.#ticker.deadline(deadline);
      this.#restarts = 0;
    }
    // subscribers hear of it when all views stand at the new position
    for (const [name, version] of moved) {
      const bytes = changed.get(name);
      if (bytes !== undefined) version.feed.publish(bytes, position);
    }
  }

  #moveTo(position: number): void {
    this.#position = position;
    this.#positions.set('written', this.#sinks.writtenUpTo(position));
    this.#positions.set('shown', position);
    this.#waiters.reached(position);
  }

  #adopted(message: Extract<FromLive, { type: 'adopted' }>): void {
    const job = this.#job;
    const { position } = message;
    this.#ledger = new Ledger();
    this.#ledger.load(message.ledger);
    const gone = [...this.#retiring, ...(job?.phase === 'adopting' ? job.names : [])].flatMap(
      name => this.#served.get(name) ?? [],
    );
    for (const { name } of gone) this.#served.delete(name);
    if (job?.phase === 'adopting') {
      for (const version of job.built) {
        const served = this.#serve(version, position);
        for (const { view, bytes } of message.carried) if (view === version.plan.name) served.carry(bytes);
      }
      this.#sinks.live({ outputs: message.outputs, position, planOf: job.planOf });
      for (const { plan } of job.built) {
        if (plan.sink !== null) this.#sinks.complete(plan.name, plan.sink, position);
      }
    }
    this.#moveTo(Math.max(this.#position, position));
    faultPoint('deploy.served');
    this.#live.served(message.id);
    this.#ticker.deadline(message.deadline);
    for (const version of gone) this.#letGo(version);
    this.#end(job, { type: 'adopted' });
  }

  #refused(failure: Failure): void {
    const job = this.#job;
    if (job?.phase !== 'adopting') {
      this.#options.report(`views could not be retired: ${failure.stack}`);
      this.#end(null, { type: 'failed', view: failure.view, message: failure.message });
      return;
    }
    this.#removeBuilt(job);
    this.#end(job, { type: 'failed', view: failure.view, message: failure.message });
  }

  /** A step of the life of views is over: a build, or a retirement. */
  #end(job: BuildJob | null, end: BuildEnd): void {
    const retired = this.#retiring.length > 0;
    this.#retiring = [];
    if (job !== null) {
      this.#job = null;
      this.#listener.settled(job, end);
    } else if (retired) {
      this.#listener.retired(end.type !== 'failed');
    }
  }

  // ------------------------------------------------------------------ building

  #fromBuild(message: FromBuild): void {
    const job = this.#job;
    if (job === null || message.id !== job.id || this.#stopped) return;
    switch (message.type) {
      case 'progress':
        job.position = message.position;
        if (message.warning !== undefined) this.#options.report(message.warning);
        break;
      case 'outputs': {
        const { outputs, position } = message;
        const written = job.fills(() => this.#sinks.fill({ outputs, position, planOf: job.planOf }));
        written.then(
          () => this.#builder.written(job.id),
          () => {},
        );
        break;
      }
      case 'finished':
        if (job.phase === 'cancelling') {
          this.#removeBuilt(job);
          this.#end(job, { type: 'cancelled' });
        } else {
          job.phase = 'adopting';
          job.position = message.build.position;
          void this.#adopt(job, message.build);
        }
        break;
      case 'cancelled':
        this.#removeBuilt(job);
        this.#end(job, { type: 'cancelled' });
        break;
      case 'failed': {
        const { view, message: text, stack, code } = message.failure;
        const paused = code === 'view_paused';
        this.#removeBuilt(job);
        this.#options.report(
          paused
            ? `the build of view ${view} is paused: ${text}`
            : `building ${job.names.join(', ')} failed: ${stack}`,
        );
        this.#end(job, { type: 'failed', view, message: text, paused });
        break;
      }
    }
  }

  /** A topic is complete on disk before its view can be live: else a crash could leave a hole in it. */
  async #adopt(job: BuildJob, build: FinishedBuild): Promise<void> {
    try {
      await job.filled();
    } catch {
      this.#removeBuilt(job);
      this.#end(job, { type: 'interrupted' });
      return;
    }
    if (this.#stopped || this.#job !== job) return;
    const replaced = new Set(job.names);
    const views = [...this.plans.filter(p => !replaced.has(p.name)), ...job.built.map(v => v.plan)];
    this.#live.adopt({ plan: { sources: job.sources, views: inReadOrder(views) }, build });
  }

  #topicIsNew(plan: ViewPlan): boolean {
    return plan.sink !== null && this.#served.get(plan.name)?.plan.sink?.topic !== plan.sink.topic;
  }

  // ------------------------------------------------------------------ versions

  #serve(version: LiveVersion, position: number): ServedVersion {
    const damaged = (error: Error): void => this.#listener.damaged(version.plan.name, error);
    const reader = openViewFileReader(viewDir(this.#options.dataDir, version.version), damaged);
    const served = new ServedVersion(version, reader, position);
    this.#served.set(version.plan.name, served);
    return served;
  }

  /** The files stay until the commit that knows nothing of them: a crash before it comes back to this version. */
  #letGo(old: ServedVersion): void {
    this.#folders.obsolete(old.version, () => old.close());
    old.feed.close();
  }

  #removeBuilt(job: BuildJob): void {
    for (const { version } of job.built) this.#folders.remove(version);
  }

  // ------------------------------------------------------------------ restarts

  async #restart(message: string): Promise<void> {
    if (this.#stopped || this.#restarting) return;
    this.#restarting = true;
    this.#options.report(message);
    await this.#live.stop();
    while (!this.#stopped) {
      const wait = Math.min(FIRST_WAIT * 2 ** this.#restarts++, LONGEST_WAIT);
      if (!this.#started && this.#restarts > MAX_RESTARTS) break;
      await new Promise(resolve => setTimeout(resolve, wait).unref());
      let started: Started | null = null;
      try {
        started = await LiveHandle.start(this.#setup);
        if (!this.#stopped) {
          this.#resume(started);
          return;
        }
      } catch (error) {
        this.#options.report(`the live worker could not be started: ${String(error)}`);
      }
      // never two of them over one journal
      await started?.handle.stop();
    }
    this.#waiters.cancel();
  }

  /** Goes on from the last commit of the worker that failed. */
  #resume({ handle, ready }: Started): void {
    const committed = new Set(ready.versions.map(v => v.version));
    this.#folders.revive(committed);
    const gone = [...this.#served.values()].filter(v => !committed.has(v.version));
    for (const { name } of gone) this.#served.delete(name);
    for (const version of ready.versions) {
      if (!this.#served.has(version.plan.name)) this.#serve(version, ready.position);
    }
    for (const version of gone) this.#letGo(version);
    this.#sinks.resume(this.#position);
    this.#live = handle;
    this.#restarting = false;
    this.#attach();
    this.#live.flushed();
    const job = this.#job?.phase === 'adopting' ? this.#job : null;
    if (job !== null) this.#removeBuilt(job);
    if (job !== null || this.retiring) this.#end(job, { type: 'interrupted' });
  }
}
