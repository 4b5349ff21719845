import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import { MillraceError } from '../core/errors.ts';
import { errorOf, SharedPositions } from '../dataflow/live/protocol.ts';
import type { FromMissed, MissedWorkerData, ToMissed } from '../dataflow/missed-changes-worker.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { withUpstream } from './planned-views.ts';
import type { ViewChange } from './view-access.ts';
import { ViewChangeReader } from './view-changes.ts';

export interface MissedOptions {
  readonly dataDir: string;
  /** URLs of modules with own functions and upcasters */
  readonly extensions: readonly string[];
  readonly zone: string;
  /** the views that are served now */
  readonly plans: () => readonly ViewPlan[];
}

export interface MissedRange {
  readonly view: string;
  /** sequences in [from, to) */
  readonly from: number;
  readonly to: number;
}

/** Changes of one epoch; all that lie before `position` are given now. */
export interface MissedEpoch {
  readonly changes: readonly ViewChange[];
  readonly position: number;
}

export type MissedChanges = (range: MissedRange, signal: AbortSignal) => AsyncIterable<MissedEpoch>;

/**
 * Changes of a served view that its feed no longer keeps: a thread of its own computes them again from the log, as fast
 * as they are taken. An aborted signal ends it.
 */
export function missedChanges(options: MissedOptions): MissedChanges {
  return async function* ({ view, from, to }, signal) {
    const views = withUpstream([view], options.plans());
    const plan = views.at(-1);
    if (plan?.name !== view) throw new MillraceError('unknown_view', `view "${view}" is not served any more`);
    const reader = new ViewChangeReader(plan);
    const { dataDir, extensions, zone } = options;
    const workerData: MissedWorkerData = {
      setup: {
        dataDir,
        extensions,
        zone,
        memoryBudget: Infinity,

        shared: SharedPositions.allocate(),
      },
      order: { plan: { sources: [], views }, view, from, to },
    };
    const worker = new Worker(new URL('../dataflow/missed-changes-worker.ts', import.meta.url), {
      workerData,
    });
    const exited = new Promise(resolve => worker.once('exit', resolve));
    const tell = (message: ToMissed): void => worker.postMessage(message);
    try {
      tell('next');
      for await (const [message] of on(worker, 'message', { signal, close: ['exit'] })) {
        const told = message as FromMissed;
        if (told.type === 'failed') throw errorOf(told.failure);
        if (told.type === 'done') return;
        const { bytes, position } = told.epoch;
        yield { changes: reader.read(bytes, from), position };
        tell('next');
      }
      throw new Error(`the thread that computes the changes of ${view} ended`);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      tell('stop');
      await exited;
    }
  };
}
