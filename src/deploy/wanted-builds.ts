import type { ViewFault } from '../dataflow/live/epoch-output.ts';
import type { ViewPlan } from '../plan/plan.ts';
import type { BuildEnd } from './build-job.ts';
import { dependents, withUpstream } from './planned-views.ts';

/** What is served now, as far as builds are decided by it. */
export interface ServedViews {
  readonly plans: readonly ViewPlan[];
  served(name: string): { readonly plan: ViewPlan; readonly fault: ViewFault | null } | undefined;
}

interface Failure {
  readonly fingerprint: string;
  readonly message: string;
  readonly paused: boolean;
}

/** builds that end by something else than their views before they count as failed */
const MAX_INTERRUPTIONS = 3;

/**
 * Which views are to be built next: what is new or changed, what was asked for again, and what must switch together with
 * it. Remembers which builds failed, so that one is not tried again before its file (or what it reads) changes.
 */
export class WantedBuilds {
  readonly #failures = new Map<string, Failure>();
  readonly #replays: Set<string>;
  /** after a failure that named no view: build one by one until all is done */
  #oneByOne = false;
  #interruptions = 0;

  /** `replays`: asked for and not done, as a process before this one may have left them */
  constructor(replays: Set<string> = new Set()) {
    this.#replays = replays;
  }

  /** Why the last build of a view as it is planned now failed, or null. */
  failure(view: ViewPlan): string | null {
    const failure = this.#failures.get(view.name);
    return failure?.fingerprint === view.fingerprint ? failure.message : null;
  }

  /** whether that was because its state was too much */
  paused(view: ViewPlan): boolean {
    return this.failure(view) !== null && this.#failures.get(view.name)?.paused === true;
  }

  replay(name: string): void {
    this.#replays.add(name);
    this.#failures.delete(name);
  }

  /** whether a replay was asked for that is not done yet */
  asked(name: string): boolean {
    return this.#replays.has(name);
  }

  /** Takes a request for a replay back; false when there was none. */
  withdraw(name: string): boolean {
    return this.#replays.delete(name);
  }

  /** A build that a user stopped: not begun again by itself. */
  stopped(view: ViewPlan, changed: boolean): void {
    this.#replays.delete(view.name);
    if (changed) this.#fail(view, 'the build was cancelled; a replay begins it again');
  }

  /** The views to build now, empty when all is as it should be. `held`: changed, but they have to wait for a reader. */
  next(
    planned: readonly ViewPlan[],
    now: ServedViews,
  ): { readonly names: readonly string[]; readonly held: ReadonlyMap<string, string> } {
    const held = new Map<string, string>();
    const replays = new Set([...this.#replays].filter(n => now.served(n) !== undefined));
    const again = dependents(replays, planned);
    const needed = (view: ViewPlan): boolean => {
      const served = now.served(view.name);
      if (served?.plan.fingerprint !== view.fingerprint || served.fault?.rebuild === true) return true;
      return replays.has(view.name) || again.has(view.name);
    };
    const wanted = new Set(planned.filter(v => this.failure(v) === null && needed(v)).map(v => v.name));
    // what a view reads must be running when it is adopted
    for (const { name } of withUpstream(wanted, planned)) {
      if (now.served(name)?.fault != null) wanted.add(name);
    }
    // a served reader that cannot be rebuilt goes on with the rows it was made for
    for (let stable = false; !stable; ) {
      stable = true;
      for (const name of wanted) {
        const changes =
          now.served(name)?.plan.fingerprint !== planned.find(v => v.name === name)?.fingerprint;
        const readers = [...dependents(new Set([name]), now.plans)];
        const reader = readers.find(r => !wanted.has(r) && now.served(r)?.fault == null);
        if (now.served(name) === undefined || !changes || reader === undefined) continue;
        wanted.delete(name);
        held.set(name, reader);
        stable = false;
      }
    }
    const names = planned.map(v => v.name).filter(n => wanted.has(n));
    const first = names[0];
    if (first === undefined) this.#oneByOne = false;
    if (first === undefined || !this.#oneByOne) return { names, held };
    // one, with what must switch together with it
    const needs = new Set(withUpstream([first], planned).map(v => v.name));
    const together = dependents(new Set([first]), now.plans);
    return { names: names.filter(n => needs.has(n) || together.has(n)), held };
  }

  ended(built: readonly ViewPlan[], end: BuildEnd): void {
    if (end.type !== 'failed') {
      if (end.type === 'interrupted' && ++this.#interruptions < MAX_INTERRUPTIONS) return;
      if (end.type === 'adopted') for (const view of built) this.#replays.delete(view.name);
      if (end.type === 'interrupted') {
        for (const view of built) this.#fail(view, 'the build was interrupted repeatedly');
      }
      if (end.type !== 'cancelled') this.#interruptions = 0;
      return;
    }
    const culprit = end.view;
    if (culprit === null && built.length > 1 && !this.#oneByOne) {
      this.#oneByOne = true;
      return;
    }
    const readers = culprit === null ? new Set<string>() : dependents(new Set([culprit]), built);
    const affected = built.filter(v => v.name === culprit || readers.has(v.name));
    const why = end.paused ? end.message : `the build failed: ${end.message}`;
    const reads = end.paused ? 'which is paused' : `whose build failed: ${end.message}`;
    for (const view of affected.length > 0 ? affected : built) {
      const own = view.name === culprit || culprit === null;
      this.#fail(view, own ? why : `it reads ${culprit}, ${reads}`, end.paused);
    }
  }

  #fail(view: ViewPlan, message: string, paused = false): void {
    this.#replays.delete(view.name);
    this.#failures.set(view.name, { fingerprint: view.fingerprint, message, paused });
  }
}
