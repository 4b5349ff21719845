import { join } from 'node:path';
import { errorText, MillraceError } from '../core/errors.ts';
import type { Ledger } from '../dataflow/ledger.ts';
import { failureOf } from '../dataflow/live/protocol.ts';
import { MEMORY_BUDGET } from '../dataflow/memory-budget.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { closest } from '../sql/suggest.ts';
import { AskedReplays } from './asked-replays.ts';
import { type BuildEnd, type BuildJob, notReady } from './build-job.ts';
import { sinceText } from './built-version.ts';
import { Deployment, type DeploymentOptions } from './deployment.ts';
import { readViewFiles, watchViewFiles } from './discovery.ts';
import { type Intent, settleFiles } from './file-intent.ts';
import type { Planner, ViewFileText } from './planned-views.ts';
import type { ServedVersion } from './served-version.ts';
import type { BuildProgress, ChangeListener, Subscription, ViewAccess, ViewStatus } from './view-access.ts';
import { WantedBuilds } from './wanted-builds.ts';

export interface ViewManagerOptions extends DeploymentOptions {
  readonly viewsDir: string;
  /** folder that file names are shown relative to */
  readonly root: string;
  readonly planner: Planner;
  /** react to changes of files by itself */
  readonly watch: boolean;
}

/** records that the views may lag behind while the server still calls itself ready */
const READY_LAG = 10_000;

/**
 * Keeps what is served in step with the files of `views/`: checks them, builds what is new or changed (with all that
 * reads it), retires what is gone. One step at a time; a file that changes meanwhile is looked at again afterwards.
 */
export class ViewManager implements ViewAccess {
  readonly #options: ViewManagerOptions;
  #deployment!: Deployment;
  #intent: Intent = {
    planned: { sources: [], views: [], errors: new Map() },
    files: new Map(),
    notices: new Map(),
  };
  readonly #asked: AskedReplays;
  readonly #builds: WantedBuilds;
  #held: ReadonlyMap<string, string> = new Map();
  #problem: string | null = null;
  /** the files could be read once: before that nothing is known to be gone */
  #looked = false;
  #unwatch: (() => void) | null = null;
  #idle: (() => void)[] = [];
  #stopped = false;

  private constructor(options: ViewManagerOptions) {
    this.#options = options;
    const path = join(options.dataDir, 'state', 'replays.json');
    this.#asked = new AskedReplays({ path, report: options.report });
    this.#builds = new WantedBuilds(this.#asked);
  }

  static async start(options: ViewManagerOptions): Promise<ViewManager> {
    const manager = new ViewManager(options);
    manager.#deployment = await Deployment.start(options, {
      committed: () => manager.#asked.save(),
      damaged: (view, error) => manager.#damaged(view, error),
      settled: (job, end) => manager.#settled(job, end),
      retired: again => {
        if (again) manager.#reconcile();
      },
    });
    manager.refresh();
    if (options.watch) manager.#unwatch = watchViewFiles(options.viewsDir, () => manager.refresh());
    return manager;
  }

  get deployment(): Deployment {
    return this.#deployment;
  }

  ledger(): Ledger {
    return this.#deployment.ledger;
  }

  /** Looks at the files again and begins what they ask for. Whatever is wrong with them, what is served stays. */
  refresh(): void {
    try {
      const files = readViewFiles(this.#options.viewsDir, this.#options.root);
      const unchanged =
        files.length === this.#intent.files.size &&
        files.every(f => {
          const before = this.#intent.files.get(f.file);
          return before?.text === f.text && before.unreadable === f.unreadable;
        });
      if (!unchanged) this.#intent = settleFiles(files, this.#deployment, this.#options.planner);
      this.#problem = null;
      const first = !this.#looked;
      this.#looked = true;
      if (!unchanged || first) this.#reconcile();
    } catch (error) {
      const problem = `the view files cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      if (problem !== this.#problem) this.#options.report(problem);
      this.#problem = problem;
    }
  }

  /** Errors of files that define no view of their own (sources), as `errorText` prints them. */
  fileErrors(): readonly string[] {
    return [...this.#intent.files.values()]
      .filter(f => f.name === null)
      .flatMap(f => this.#intent.planned.errors.get(f.file) ?? [])
      .map(errorText);
  }

  /** Why requests would meet old rows or none; null when ready. */
  notReady(): string | null {
    const { start, end } = { start: this.#options.log.start(), end: this.#options.log.end() };
    const behind = end - this.#deployment.position;
    if (behind > READY_LAG) return `the views are ${behind} of ${end - start} records behind`;
    return null;
  }

  /** Resolves when nothing is left to build. */
  settled(): Promise<void> {
    const { job, retiring } = this.#deployment;
    if (job === null && !retiring && this.#gone().length === 0 && this.#next().length === 0) {
      return Promise.resolve();
    }
    return new Promise(resolve => this.#idle.push(resolve));
  }

  async stop(): Promise<void> {
    this.#unwatch?.();
    this.#stopped = true;
    await this.#deployment.stop();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  // ------------------------------------------------------------------ ViewAccess

  list(): readonly ViewStatus[] {
    return this.#names()
      .sort()
      .map(name => this.status(name));
  }

  status(name: string): ViewStatus {
    const known = this.#resolve(name);
    const served = this.#deployment.served(known);
    const planned = this.#planned(known);
    const file = [...this.#intent.files.values()].find(f => f.name?.toLowerCase() === known.toLowerCase());
    const errors = (file === undefined ? [] : (this.#intent.planned.errors.get(file.file) ?? [])).map(
      errorText,
    );
    const failure = planned === undefined ? null : this.#builds.failure(planned);
    const paused = this.#pause(known);
    if (failure !== null && paused === null) errors.push(failure);
    if (served?.fault != null && failure === null && paused === null) {
      errors.push(`it went wrong and stands still: ${served.fault.message}`);
    }
    const waits = this.#held.get(known);
    const notices = [
      ...(this.#intent.notices.get(known) ?? []),
      ...(paused === null ? [] : [`paused: ${paused}`]),
      ...(served?.since == null ? [] : [sinceText(served.since)]),
      ...(waits === undefined ? [] : [`the change waits: ${waits} reads this view and cannot be rebuilt`]),
    ];
    const building = this.#deployment.job?.built.some(v => v.plan.name === known) ?? false;
    const plan = served?.plan ?? planned;
    const plans = this.#deployment.plans;
    return {
      name: known,
      statement: plan?.statement ?? 'view',
      state:
        building || this.#builds.asked(known)
          ? 'building'
          : errors.length > 0
            ? 'failed'
            : paused !== null
              ? 'paused'
              : served === undefined
                ? 'building'
                : 'live',
      serving: served !== undefined,
      ...(paused === null ? {} : { paused: MEMORY_BUDGET }),
      file: file?.file ?? null,
      description: (planned?.fingerprint === plan?.fingerprint ? planned : plan)?.description ?? '',
      fingerprint: plan?.fingerprint ?? null,
      reads: plan?.reads ?? [],
      readBy: plans.filter(p => p.reads.includes(known)).map(p => p.name),
      position: served?.position ?? null,
      ...(served?.since == null ? {} : { since: served.since }),
      build: building ? this.#progress() : null,
      errors,
      notices,
    };
  }

  open(name: string): ServedVersion {
    return this.#open(name);
  }

  /** The files as they are planned: where one is broken, its last good text. */
  plannedFiles(): readonly ViewFileText[] {
    const sources = [...this.#intent.files.values()].filter(f => f.name === null);
    const texts = this.#texts();
    return [
      ...sources,
      ...this.#intent.planned.views.map(v => ({
        name: v.name,
        file: `${v.name}.sql`,
        text: texts.get(v.name) ?? v.sql,
      })),
    ];
  }

  /** what is served, and what the files say now */
  plans(): readonly ViewPlan[] {
    const served = this.#deployment.plans;
    const names = new Set(served.map(p => p.name));
    return [...served, ...this.#intent.planned.views.filter(v => !names.has(v.name))];
  }

  position(): number {
    return this.#deployment.position;
  }

  waitFor(seq: number, ms: number): Promise<boolean> {
    return this.#deployment.waitFor(seq, ms);
  }

  subscribe(name: string, from: number | null, listener: ChangeListener): Subscription {
    if (from !== null && from > this.#deployment.position) {
      throw new MillraceError('position_ahead', 'this position lies ahead of the views');
    }
    return this.#open(name).feed.subscribe(from, listener);
  }

  async replay(name: string): Promise<ViewStatus> {
    const known = this.#resolve(name);
    if (this.#planned(known) === undefined) {
      throw new MillraceError(
        'view_failed',
        `view "${known}" cannot be replayed:\n${this.status(known).errors.join('\n')}`,
      );
    }
    this.#builds.replay(known);
    this.#reconcile();
    return this.status(known);
  }

  async cancelReplay(name: string): Promise<boolean> {
    const known = this.#resolve(name);
    const job = this.#deployment.job;
    if (job?.phase !== 'building' || !job.names.includes(known)) {
      const withdrawn = this.#builds.withdraw(known);
      this.#asked.save();
      return withdrawn;
    }
    // it may be there because of another one that was to be replayed
    for (const name of job.names) this.#builds.withdraw(name);
    const plan = job.built.find(v => v.plan.name === known)?.plan as ViewPlan;
    const changed = this.#deployment.served(known)?.plan.fingerprint !== plan.fingerprint;
    this.#builds.stopped(plan, changed);
    this.#deployment.cancel();
    return true;
  }

  // ------------------------------------------------------------------ deciding

  #reconcile(): void {
    const { job, retiring } = this.#deployment;
    if (retiring || this.#stopped) return;
    const { planned } = this.#intent;
    if (job !== null) {
      const stale = job.built.some(v => this.#planned(v.plan.name)?.fingerprint !== v.plan.fingerprint);
      if (stale) this.#deployment.cancel();
      return;
    }
    const gone = this.#gone();
    if (gone.length > 0) {
      this.#deployment.retire(gone, planned.sources);
      return;
    }
    const names = this.#next();
    if (names.length === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    try {
      this.#deployment.build(planned, names, this.#texts());
    } catch (error) {
      const { view, message } = failureOf(error);
      const built = planned.views.filter(v => names.includes(v.name));
      this.#options.report(`views cannot be built: ${message}`);
      this.#builds.ended(built, { type: 'failed', view, message });
      this.#reconcile();
    }
  }

  /** A view whose rows cannot be trusted any more is made anew from the log, once. */
  #damaged(view: string, error: Error): void {
    if (this.#builds.asked(view)) return;
    this.#options.report(`view ${view} is to be rebuilt: ${error.message}`);
    this.#builds.replay(view);
    setImmediate(() => this.#reconcile());
  }

  #settled(job: BuildJob, end: BuildEnd): void {
    this.#builds.ended(
      job.built.map(v => v.plan),
      end,
    );
    // one that was adopted is crossed off with the commit that makes it last
    if (end.type !== 'adopted') this.#asked.save();
    this.#reconcile();
  }

  /** served views that nothing asks for any more */
  #gone(): string[] {
    if (!this.#looked) return [];
    return this.#deployment.plans.map(p => p.name).filter(n => this.#planned(n) === undefined);
  }

  #next(): readonly string[] {
    const { names, held } = this.#builds.next(this.#intent.planned.views, this.#deployment);
    this.#held = held;
    return names;
  }

  // ------------------------------------------------------------------ looking up

  #planned(name: string): ViewPlan | undefined {
    return this.#intent.planned.views.find(v => v.name === name);
  }

  /** Why a view, or the last build of it, is paused; null when it is not. */
  #pause(name: string): string | null {
    const planned = this.#planned(name);
    if (planned !== undefined && this.#builds.paused(planned)) return this.#builds.failure(planned);
    const fault = this.#deployment.served(name)?.fault;
    return fault?.paused === undefined ? null : fault.message;
  }

  #texts(): ReadonlyMap<string, string> {
    return new Map(
      this.#intent.planned.views.map(v => {
        const file = [...this.#intent.files.values()].find(
          f => f.name?.toLowerCase() === v.name.toLowerCase(),
        );
        const broken = file === undefined || (this.#intent.planned.errors.get(file.file)?.length ?? 0) > 0;
        return [v.name, (broken ? this.#deployment.text(v.name) : file.text) ?? v.sql];
      }),
    );
  }

  #names(): string[] {
    const names = new Map<string, string>();
    for (const plan of [...this.#intent.planned.views, ...this.#deployment.plans]) {
      names.set(plan.name.toLowerCase(), plan.name);
    }
    for (const file of this.#intent.files.values()) {
      if (file.name !== null && !names.has(file.name.toLowerCase()))
        names.set(file.name.toLowerCase(), file.name);
    }
    return [...names.values()];
  }

  /** The view's name as it is declared; names are matched without case. */
  #resolve(name: string): string {
    const names = this.#names();
    const found = names.find(n => n === name) ?? names.find(n => n.toLowerCase() === name.toLowerCase());
    if (found !== undefined) return found;
    const near = closest(name, names);
    throw new MillraceError('unknown_view', `there is no view "${name}"`, {
      hint: near === null ? 'GET /views lists the views' : `did you mean "${near}"?`,
    });
  }

  #open(name: string): ServedVersion {
    const exact = this.#deployment.served(name);
    if (exact !== undefined) return exact;
    const known = this.#resolve(name);
    const served = this.#deployment.served(known);
    if (served !== undefined) return served;
    const { errors } = this.status(known);
    if (errors.length > 0) {
      throw new MillraceError(
        'view_failed',
        `view "${known}" has errors and no good version:\n${errors.join('\n')}`,
      );
    }
    const paused = this.#pause(known);
    if (paused !== null) {
      throw new MillraceError(
        'view_paused',
        `view "${known}" has no rows yet, its build is paused: ${paused}`,
        {
          hint: 'raise memory.budget in pipelines/settings.yaml, or resume the view when others need less',
        },
      );
    }
    throw notReady(known, this.#deployment.job, this.#options.clock.now());
  }

  #progress(): BuildProgress | null {
    const { job } = this.#deployment;
    if (job === null) return null;
    const { from, position, fraction, startedAt } = job;
    const elapsed = this.#options.clock.now() - startedAt;
    return {
      from,
      position,
      target: Math.max(job.target, position),
      fraction,
      remaining: fraction > 0.01 ? Math.round((elapsed / fraction) * (1 - fraction)) : null,
      startedAt,
    };
  }
}
