import { MillraceError } from '../core/errors.ts';
import type { LiveVersion } from '../dataflow/live/epoch-output.ts';
import type { SinkSpec } from '../plan/plan.ts';
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
  readonly #fills = new Set<Promise<void>>();
  #fillFailure: unknown = null;

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

  /** the topic of a view of this build */
  readonly sinkOf = (view: string): SinkSpec | null =>
    this.built.find(v => v.plan.name === view)?.plan.sink ?? null;

  /** Records of a topic that are on their way to the disk. */
  fills(written: Promise<void>): void {
    this.#fills.add(written);
    written.then(
      () => this.#fills.delete(written),
      error => {
        this.#fillFailure = error ?? new Error('records were refused');
        this.#fills.delete(written);
      },
    );
  }

  /** Resolves when all of them are durable; rejects when one was refused. */
  async filled(): Promise<void> {
    await Promise.allSettled(this.#fills);
    if (this.#fillFailure !== null) throw this.#fillFailure;
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
