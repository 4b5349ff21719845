import type { DeploymentPlan } from '../../plan/plan.ts';
import type { LedgerState } from '../ledger.ts';
import type { FinishedBuild, LiveVersion, PublishedEpoch, SinkOutput, ViewChangeBytes } from './live-loop.ts';

/**
 * Messages between the main thread and the two workers. Everything is structured-cloneable; positions that both sides
 * must see at once are in {@link SharedPositions}.
 */

/** What a worker needs to open the data folder and to know the functions that SQL may call. */
export interface WorkerSetup {
  readonly dataDir: string;
  /** URLs of modules that export `functions` and `upcasters` (see `extensions.ts`) */
  readonly extensions: readonly string[];
  readonly zone: string;
  readonly shared: SharedArrayBuffer;
}

export type ToLive =
  | { readonly type: 'flushed' }
  | {
      readonly type: 'adopt';
      readonly id: number;
      readonly plan: DeploymentPlan;
      readonly build: FinishedBuild | null;
    }
  | { readonly type: 'sizes'; readonly id: number }
  | { readonly type: 'stop' };

export type FromLive =
  | {
      readonly type: 'ready';
      readonly position: number;
      readonly versions: readonly LiveVersion[];
      readonly ledger: LedgerState;
      readonly deadline: number | null;
    }
  | { readonly type: 'epoch'; readonly epoch: PublishedEpoch }
  | { readonly type: 'folded'; readonly position: number }
  | {
      readonly type: 'adopted';
      readonly id: number;
      readonly position: number;
      readonly carried: readonly ViewChangeBytes[];
      readonly outputs: readonly SinkOutput[];
      readonly ledger: LedgerState;
      readonly deadline: number | null;
    }
  | { readonly type: 'committed'; readonly position: number }
  | { readonly type: 'sizes'; readonly id: number; readonly sizes: readonly OperatorSize[] }
  | { readonly type: 'failed'; readonly message: string };

export interface OperatorSize {
  readonly view: string;
  readonly operator: string;
  readonly rows: number;
  readonly bytes: number;
}

export type ToBuild =
  | {
      readonly type: 'build';
      readonly id: number;
      readonly plan: DeploymentPlan;
      readonly built: readonly LiveVersion[];
      /** views whose derived topic has no records yet: their history is written too */
      readonly fillTopics: readonly string[];
    }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'stop' };

export type FromBuild =
  | { readonly type: 'progress'; readonly id: number; readonly position: number; readonly target: number }
  | {
      readonly type: 'outputs';
      readonly id: number;
      readonly outputs: PublishedEpoch['outputs'];
      readonly position: number;
    }
  | { readonly type: 'finished'; readonly id: number; readonly build: FinishedBuild }
  | { readonly type: 'cancelled'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };

const LIVE = 0;
const SHOWN = 1;
const FLUSHED = 2;

/** Three positions in shared memory, each written by one thread: reached by the live worker, shown to readers, flushed in the log. */
export class SharedPositions {
  readonly #cells: BigInt64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new BigInt64Array(buffer);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(3 * BigInt64Array.BYTES_PER_ELEMENT);
  }

  get live(): number {
    return Number(Atomics.load(this.#cells, LIVE));
  }

  set live(position: number) {
    Atomics.store(this.#cells, LIVE, BigInt(position));
  }

  get shown(): number {
    return Number(Atomics.load(this.#cells, SHOWN));
  }

  set shown(position: number) {
    Atomics.store(this.#cells, SHOWN, BigInt(position));
  }

  get flushed(): number {
    return Number(Atomics.load(this.#cells, FLUSHED));
  }

  set flushed(position: number) {
    Atomics.store(this.#cells, FLUSHED, BigInt(position));
  }
}
