import type { LogReader } from '../../log/event-log.ts';
import type { DeploymentPlan, ViewPlan } from '../../plan/plan.ts';
import type { ViewFile } from '../../view-store/view-file.ts';
import type { Engine } from '../dataflow.ts';
import { ViewFailure } from '../view-failure.ts';
import type { LiveJournal, LiveVersion, PublishedEpoch, ViewFault } from './epoch-output.ts';
import { PendingChanges } from './pending-changes.ts';
import type { SinkWriter } from './sink-writer.ts';
import type { ViewRowEncoder } from './view-rows.ts';

export interface LiveLoopPorts {
  readonly log: LogReader;
  readonly journal: LiveJournal;
  makeEngine(plan: DeploymentPlan): Engine;
  openFile(version: string): ViewFile;
  encoderFor(plan: ViewPlan): ViewRowEncoder;
  /** null for a view that writes no topic */
  sinkFor(view: ViewPlan, plan: DeploymentPlan): SinkWriter | null;
  publish(epoch: PublishedEpoch): void;
  /** Views went wrong and were set aside; called between two epochs. */
  setAside(faults: readonly { readonly view: string; readonly fault: ViewFault }[]): void;
  /** position that the serving thread has shown to readers: only rows up to it may go to the files */
  shown(): number;
  /** position up to which every record of a derived topic is durable in the log */
  written(): number;
  /** something that an operator should know: one paragraph */
  warn(text: string): void;
}

/** A live version with what its changes go through. */
export interface Live extends LiveVersion {
  readonly file: ViewFile;
  readonly encoder: ViewRowEncoder;
  readonly sink: SinkWriter | null;
  /** row changes since the last commit */
  readonly pending: PendingChanges;
}

export function openLive(ports: LiveLoopPorts, version: LiveVersion, plan: DeploymentPlan): Live {
  return {
    ...version,
    file: ports.openFile(version.version),
    encoder: ports.encoderFor(version.plan),
    sink: ports.sinkFor(version.plan, plan),
    pending: new PendingChanges(version.plan.kind === 'append'),
  };
}

/** Adds the views that read one of the failed ones, directly and through others. `versions` are in read order. */
export function spread(
  failed: Map<string, string>,
  versions: readonly LiveVersion[],
  message: (upstream: string) => string,
): void {
  for (const { plan } of versions) {
    if (failed.has(plan.name)) continue;
    const upstream = plan.reads.find(r => failed.has(r));
    if (upstream !== undefined) failed.set(plan.name, message(upstream));
  }
}

/** Null when a view failed that is now among `failed`. */
export function attemptEngine(failed: Map<string, string>, work: () => Engine): Engine | null {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ViewFailure) || failed.has(error.view)) throw error;
    failed.set(error.view, error.message);
    return null;
  }
}
