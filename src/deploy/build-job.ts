import { MillraceError } from '../core/errors.ts';
import type { LiveVersion } from '../dataflow/live/epoch-output.ts';
import type { ViewPlan } from '../plan/plan.ts';
import type { PlannedViews } from './planned-views.ts';

export interface BuildJobOptions {
  readonly id: number;
  readonly built: readonly LiveVersion[];
  readonly sources: PlannedViews['sources'];
  /** ms */
  readonly startedAt: number;
  /** positions where the build begins and where the log ended then */
  readonly from: number;
  readonly target: number;
}

/** How a build ended. `interrupted`: by something else than its views; it may be tried again. */
export type BuildEnd =
  | { readonly type: 'adopted' | 'cancelled' | 'interrupted' }
  | {
      readonly type: 'failed';
      readonly view: string | null;
      readonly message: string;
      /** the state of the view was too much */
      readonly paused?: boolean | undefined;
    };

/** A shadow build as the main thread follows it. */
export class BuildJob {
  readonly id: number;
  readonly built: readonly LiveVersion[];
  readonly sources: PlannedViews['sources'];
  readonly startedAt: number;
  readonly from: number;
  readonly target: number;
  position: number;
  phase: 'building' | 'adopting' | 'cancelling' = 'building';
  #filled: Promise<void> = Promise.resolve();

  constructor(options: BuildJobOptions) {
    this.id = options.id;
    this.built = options.built;
    this.sources = options.sources;
    this.startedAt = options.startedAt;
    this.from = options.from;
    this.target = options.target;
    this.position = options.from;
  }

  get names(): readonly string[] {
    return this.built.map(v => v.plan.name);
  }

  /** the plan of a view of this build */
  readonly planOf = (view: string): ViewPlan | null =>
    this.built.find(v => v.plan.name === view)?.plan ?? null;

  /**
   * Writes more of the build's topics once what was given before is durable. Nothing is written behind a refusal: the
   * topic would count as complete up to there, with a hole.
   */
  fills(write: () => Promise<void>): Promise<void> {
    this.#filled = this.#filled.then(write);
    this.#filled.catch(() => {}); // `filled` tells
    return this.#filled;
  }

  /** Resolves when everything is durable; rejects when something was refused. */
  filled(): Promise<void> {
    return this.#filled;
  }

  /** 0..1 */
  get fraction(): number {
    const target = Math.max(this.target, this.position);
    return target === this.from ? 1 : (this.position - this.from) / (target - this.from);
  }
}

/** For a view that is asked for before its first build is done. */
export function notReady(name: string, job: BuildJob | null, now: number): MillraceError {
  const fraction = job?.fraction ?? 0;
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
