import { errorText, MillraceError } from '../core/errors.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { closest } from '../sql/suggest.ts';
import { type BuildJob, Deployment, type DeploymentOptions, notReady } from './deployment.ts';
import { readViewFiles, watchViewFiles } from './discovery.ts';
import { type Intent, settleFiles } from './file-intent.ts';
import { dependents, type Planner, type ViewFileText } from './planned-views.ts';
import type { ServedVersion } from './served-version.ts';
import type { BuildProgress, ChangeListener, Subscription, ViewAccess, ViewStatus } from './view-access.ts';

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

interface Failure {
  readonly fingerprint: string;
  readonly message: string;
}

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
  readonly #failures = new Map<string, Failure>();
  readonly #replays = new Set<string>();
  #isolate = false;
  #unwatch: (() => void) | null = null;
  #idle: (() => void)[] = [];

  private constructor(options: ViewManagerOptions) {
    this.#options = options;
  }

  static async start(options: ViewManagerOptions): Promise<ViewManager> {
    const manager = new ViewManager(options);
    manager.#deployment = await Deployment.start(options, (job, failure) => manager.#settled(job, failure));
    manager.refresh();
    if (options.watch) manager.#unwatch = watchViewFiles(options.viewsDir, () => manager.refresh());
    return manager;
  }

  get deployment(): Deployment {
    return this.#deployment;
  }

  /** Looks at the files again and begins what they ask for. */
  refresh(): void {
    const files = readViewFiles(this.#options.viewsDir, this.#options.root);
    const unchanged =
      files.length === this.#intent.files.size &&
      files.every(f => this.#intent.files.get(f.file)?.text === f.text);
    if (unchanged) return;
    this.#intent = settleFiles(files, this.#deployment, this.#options.planner);
    for (const [name, failure] of this.#failures) {
      if (this.#planned(name)?.fingerprint !== failure.fingerprint) this.#failures.delete(name);
    }
    this.#reconcile();
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
    if (this.#deployment.job === null && this.#needed().length === 0) return Promise.resolve();
    return new Promise(resolve => this.#idle.push(resolve));
  }

  async stop(): Promise<void> {
    this.#unwatch?.();
    await this.#deployment.stop();
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
    const failure = this.#failures.get(known);
    if (failure !== undefined) errors.push(failure.message);
    const building = this.#deployment.job?.built.some(v => v.plan.name === known) ?? false;
    const plan = served?.plan ?? planned;
    const plans = this.#deployment.plans;
    return {
      name: known,
      statement: plan?.statement ?? 'view',
      state:
        building || (errors.length === 0 && served === undefined)
          ? 'building'
          : errors.length > 0
            ? 'failed'
            : 'live',
      serving: served !== undefined,
      file: file?.file ?? null,
      description: plan?.description ?? '',
      fingerprint: plan?.fingerprint ?? null,
      reads: plan?.reads ?? [],
      readBy: plans.filter(p => p.reads.includes(known)).map(p => p.name),
      position: served === undefined ? null : this.#deployment.position,
      build: building ? this.#progress() : null,
      errors,
      notices: this.#intent.notices.get(known) ?? [],
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
    if (this.#planned(known) === undefined) throw new MillraceError('view_failed', `"${known}" has errors`);
    this.#replays.add(known);
    this.#failures.delete(known);
    this.#reconcile();
    return this.status(known);
  }

  async cancelReplay(name: string): Promise<boolean> {
    const known = this.#resolve(name);
    const waiting = this.#replays.delete(known);
    const job = this.#deployment.job;
    if (job?.phase !== 'building' || !job.built.some(v => v.plan.name === known)) return waiting;
    this.#deployment.cancel();
    return true;
  }

  // ------------------------------------------------------------------ deciding

  #reconcile(): void {
    const { job } = this.#deployment;
    if (this.#deployment.retiring) return;
    if (job !== null) {
      const stale = job.built.some(v => this.#planned(v.plan.name)?.fingerprint !== v.plan.fingerprint);
      if (stale) this.#deployment.cancel();
      return;
    }
    const gone = this.#deployment.plans.map(p => p.name).filter(n => this.#planned(n) === undefined);
    if (gone.length > 0) {
      this.#deployment.retire(gone);
      setImmediate(() => this.#awaitRetired());
      return;
    }
    const needed = this.#needed();
    if (needed.length === 0) {
      this.#isolate = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    const names = this.#isolate ? this.#alone(needed) : needed;
    this.#deployment.build(this.#intent.planned, names, this.#texts());
  }

  #awaitRetired(): void {
    if (this.#deployment.retiring) setTimeout(() => this.#awaitRetired(), 5);
    else this.#reconcile();
  }

  /** Views to build, in read order. */
  #needed(): string[] {
    const { views } = this.#intent.planned;
    const replays = new Set([...this.#replays].filter(n => this.#deployment.served(n) !== undefined));
    const again = dependents(replays, views);
    return views
      .filter(v => this.#failures.get(v.name)?.fingerprint !== v.fingerprint)
      .filter(v => {
        const served = this.#deployment.served(v.name);
        return served?.fingerprint !== v.fingerprint || replays.has(v.name) || again.has(v.name);
      })
      .map(v => v.name);
  }

  /** One view at a time, with the dependents that must switch together with it. */
  #alone(needed: readonly string[]): string[] {
    const first = needed[0] as string;
    const together = dependents(new Set([first]), this.#deployment.plans);
    return needed.filter(n => n === first || together.has(n));
  }

  #settled(job: BuildJob, failure: string | null): void {
    if (failure === null) {
      for (const { plan } of job.built) this.#replays.delete(plan.name);
    } else if (failure === 'cancelled') {
      for (const { plan } of job.built) this.#replays.delete(plan.name);
    } else if (job.built.length > 1 && !this.#isolate) {
      this.#isolate = true;
    } else {
      for (const { plan } of job.built) {
        this.#replays.delete(plan.name);
        this.#failures.set(plan.name, {
          fingerprint: plan.fingerprint,
          message: `the build failed: ${firstLine(failure)}`,
        });
      }
      this.#options.report(`building ${job.built.map(v => v.plan.name).join(', ')} failed: ${failure}`);
    }
    this.#reconcile();
  }

  // ------------------------------------------------------------------ looking up

  #planned(name: string): ViewPlan | undefined {
    return this.#intent.planned.views.find(v => v.name === name);
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
    throw notReady(known, this.#deployment.job, this.#options.clock.now());
  }

  #progress(): BuildProgress | null {
    const { job } = this.#deployment;
    if (job === null) return null;
    const from = this.#options.log.start();
    const target = Math.max(job.target, job.position);
    const fraction = target === from ? 1 : (job.position - from) / (target - from);
    const elapsed = this.#options.clock.now() - job.startedAt;
    return {
      from,
      position: job.position,
      target,
      fraction,
      remaining: fraction > 0.01 ? Math.round((elapsed / fraction) * (1 - fraction)) : null,
      startedAt: job.startedAt,
    };
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
