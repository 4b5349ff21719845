import { join } from 'node:path';
import { createRecordEncoder } from '../decode/record-encoder.ts';
import { openLmdbStore } from '../kv/lmdb-store.ts';
import { openLogReader } from '../log/embedded/log-reader.ts';
import type { LogReader } from '../log/event-log.ts';
import type { DeploymentPlan, ViewPlan } from '../plan/plan.ts';
import { Journal } from '../state/journal.ts';
import { ViewFile } from '../view-store/view-file.ts';
import type { Engine } from './dataflow.ts';
import { createEngine } from './engine/engine.ts';
import { loadExtensions } from './extension.ts';
import type { LiveCatalog } from './live/live-loop.ts';
import { SharedPositions, type WorkerSetup } from './live/protocol.ts';
import { SinkWriter } from './live/sink-writer.ts';
import { ViewRowEncoder } from './live/view-rows.ts';

/** Folders of a data folder; `docs/reliability.md` explains them. */
export const logDir = (dataDir: string) => join(dataDir, 'log');
export const journalDir = (dataDir: string) => join(dataDir, 'state', 'journal');
export const viewDir = (dataDir: string, version: string) => join(dataDir, 'state', 'views', version);

/** What both workers open and make. */
export interface WorkerEnvironment {
  readonly log: LogReader;
  readonly positions: SharedPositions;
  makeEngine(plan: DeploymentPlan): Engine;
  openJournal(): Journal<LiveCatalog>;
  openFile(version: string): ViewFile;
  encoderFor(plan: ViewPlan): ViewRowEncoder;
  sinkFor(plan: ViewPlan): SinkWriter | null;
}

export async function openWorkerEnvironment(setup: WorkerSetup): Promise<WorkerEnvironment> {
  const { functions, upcasters } = await loadExtensions(setup.extensions);
  const log = openLogReader(logDir(setup.dataDir));
  return {
    log,
    positions: new SharedPositions(setup.shared),
    makeEngine: plan => createEngine({ plan, functions, upcasters, zone: setup.zone }),
    openJournal: () => new Journal<LiveCatalog>(openLmdbStore({ path: journalDir(setup.dataDir) }), log.id),
    openFile: version => new ViewFile(openLmdbStore({ path: viewDir(setup.dataDir, version) })),
    encoderFor: plan => new ViewRowEncoder(plan),
    sinkFor: plan =>
      plan.sink === null
        ? null
        : new SinkWriter(createRecordEncoder(plan.sink, plan.root.schema)),
  };
}
