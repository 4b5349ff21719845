import { type ErrorCode, MillraceError } from '../../core/errors.ts';
import { saysDiskFull } from '../../kv/disk-room.ts';
import type { DeploymentPlan } from '../../plan/plan.ts';
import type { LedgerState } from '../ledger.ts';
import { ViewFailure } from '../view-failure.ts';
import type { FinishedBuild } from './build-catch-up.ts';
import type { LiveVersion, PublishedEpoch, SinkOutput, ViewChangeBytes, ViewFault } from './epoch-output.ts';

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
  /** bytes of operator state that all views together may have */
  readonly memoryBudget: number;
  readonly shared: SharedArrayBuffer;
  /** records before it from which on a build has threads of its own to read and to write; many when not given */
  readonly longBuild?: number | undefined;
  /** changes of a view after which a build writes them to its file; many when not given */
  readonly foldAfter?: number | undefined;
  /** where the worker tells what it is at (`WorkBeat`); nobody looks when it is not given */
  readonly beat?: SharedArrayBuffer | undefined;
  /** ms that one step of a view may take before the view is set aside; default two minutes */
  readonly stuckAfter?: number | undefined;
  /** views that held up a live worker before this one: they are set aside where it stood */
  readonly heldUp?: HeldUp[] | undefined;
}

export interface HeldUp {
  readonly view: string;
  /** up to here it did not */
  readonly position: number;
  readonly message: string;
}

/** An error as it crosses threads. */
export interface Failure {
  readonly message: string;
  readonly stack: string;
  /** the view that went wrong, when it was one */
  readonly view: string | null;
  /** code and hint of the catalogue, when it was such an error */
  readonly code: ErrorCode | null;
  readonly hint: string | null;
}

export function failureOf(error: unknown): Failure {
  const cause = error instanceof ViewFailure ? error.cause : error;
  const known = cause instanceof MillraceError;
  return {
    message: error instanceof Error ? error.message : String(error),
    stack: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
    view: error instanceof ViewFailure ? error.view : null,
    code: known ? cause.code : saysDiskFull(cause) ? 'disk_full' : null,
    hint: known ? (cause.hint ?? null) : null,
  };
}

export function errorOf(failure: Failure): Error {
  const { code, message, hint, stack } = failure;
  if (code !== null) return new MillraceError(code, message, hint === null ? {} : { hint });
  return Object.assign(new Error(message), { stack });
}

export type ToLive =
  | { readonly type: 'flushed' }
  | {
      readonly type: 'adopt';
      readonly id: number;
      readonly plan: DeploymentPlan;
      readonly build: FinishedBuild | null;
    }
  /** the adopted versions are served, and what they write is on its way: only now they may be committed */
  | { readonly type: 'served'; readonly id: number }
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
  /** instead of `ready`: the data folder cannot be used as it is */
  | { readonly type: 'unusable'; readonly failure: Failure }
  | { readonly type: 'epoch'; readonly epoch: PublishedEpoch }
  | {
      readonly type: 'adopted';
      readonly id: number;
      readonly position: number;
      readonly carried: readonly ViewChangeBytes[];
      readonly outputs: readonly SinkOutput[];
      readonly ledger: LedgerState;
      readonly deadline: number | null;
    }
  /** an adoption that could not be: everything is as before */
  | { readonly type: 'refused'; readonly id: number; readonly failure: Failure }
  | {
      readonly type: 'setAside';
      readonly faults: readonly { readonly view: string; readonly fault: ViewFault }[];
    }
  /** state and rows up to here are durable, rows in the view files */
  | { readonly type: 'committed'; readonly position: number }
  | { readonly type: 'sizes'; readonly id: number; readonly sizes: readonly OperatorSize[] }
  | { readonly type: 'warning'; readonly text: string }
  | { readonly type: 'failed'; readonly failure: Failure };

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
      /** views whose derived topic is filled from history */
      readonly fillTopics: readonly string[];
    }
  /** as many messages of outputs are durable in the log: the build may go on */
  | { readonly type: 'written'; readonly id: number; readonly messages: number }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'stop' };

export type FromBuild =
  | {
      readonly type: 'progress';
      readonly id: number;
      readonly position: number;
      readonly target: number;
      /** something that an operator should know: one paragraph */
      readonly warning?: string | undefined;
    }
  | {
      readonly type: 'outputs';
      readonly id: number;
      readonly outputs: readonly SinkOutput[];
      /** the outputs are all that records below this position cause */
      readonly position: number;
    }
  | { readonly type: 'finished'; readonly id: number; readonly build: FinishedBuild }
  | { readonly type: 'cancelled'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure };

const CELLS = { live: 0, shown: 1, flushed: 2, written: 3, state: 4 } as const;
const ASLEEP = Object.keys(CELLS).length;

/**
 * Positions that all threads see at once, each written by one of them: reached by the live worker (`live`), shown to
 * readers, flushed in the log, and up to where all records of derived topics are durable (`written`; it may step back
 * when an older view begins to write). `state` is no position: the bytes of state of the live views.
 */
export class SharedPositions {
  readonly #cells: BigInt64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new BigInt64Array(buffer);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer((ASLEEP + 1) * BigInt64Array.BYTES_PER_ELEMENT);
  }

  get(cell: keyof typeof CELLS): number {
    return Number(Atomics.load(this.#cells, CELLS[cell]));
  }

  set(cell: keyof typeof CELLS, position: number): void {
    Atomics.store(this.#cells, CELLS[cell], BigInt(position));
  }

  /** The live worker has nothing to do until it is told; having said so, it looks at `flushed` once more. */
  fallAsleep(): void {
    Atomics.store(this.#cells, ASLEEP, 1n);
  }

  /** True when the live worker was asleep, once: it must be told. */
  wake(): boolean {
    return Atomics.exchange(this.#cells, ASLEEP, 0n) === 1n;
  }
}
