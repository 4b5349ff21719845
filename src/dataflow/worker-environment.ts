import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { faultPoint } from '../core/fault-points.ts';
import { openStateStore } from '../kv/checksummed-store.ts';
import { openLogReader } from '../log/embedded/log-reader.ts';
import type { ReadAhead } from '../log/embedded/read-ahead.ts';
import type { LogReader } from '../log/event-log.ts';
import type { DeploymentPlan, ViewPlan } from '../plan/plan.ts';
import { topicEntered } from '../plan/properties.ts';
import { Journal } from '../state/journal.ts';
import { openViewFile, type ViewFile } from '../view-store/view-file.ts';
import { RowFolder } from './build/row-folder.ts';
import type { DecodeOrder, Engine } from './dataflow.ts';
import { createEngine } from './engine/engine.ts';
import { loadExtensions } from './extension.ts';
import type { LiveCatalog, LiveJournal, LiveNotes } from './live/epoch-output.ts';
import { SharedPositions, type WorkerSetup } from './live/protocol.ts';
import { SinkWriter } from './live/sink-writer.ts';
import { ViewRowEncoder } from './live/view-rows.ts';
import { WorkBeat } from './live/work-beat.ts';
import { sinkEncoder } from './sink-encoder.ts';

/** Folders of a data folder; `docs/data-folder.md` explains them. */
export const logDir = (dataDir: string) => join(dataDir, 'log');
export const journalDir = (dataDir: string) => join(dataDir, 'state', 'journal');
export const viewsDir = (dataDir: string) => join(dataDir, 'state', 'views');
export const viewDir = (dataDir: string, version: string) => join(viewsDir(dataDir), version);

/** records before a build for which threads that read and write beside it are worth their start */
const LONG_BUILD = 200_000;
const FOLD_AFTER = 100_000;

const DECODE_THREAD = new URL('./build/decode-thread.ts', import.meta.url);

/** What both workers open and make. */
export interface WorkerEnvironment {
  readonly log: LogReader;
  /** records from which on a build is long */
  readonly longBuild: number;
  /** changes of a view after which a build writes them to its file */
  readonly foldAfter: number;
  /** A scan of the log for a build; `order`: what is to be decoded beside it. */
  openScan(order?: DecodeOrder | null): ReadAhead;
  readonly positions: SharedPositions;
  /** `writesTopic`: whether a view's topic is written from this engine's changes; default: of every view that has one */
  makeEngine(plan: DeploymentPlan, writesTopic?: (view: string) => boolean): Engine;
  openJournal(): LiveJournal;
  /** Removes a journal that is of no use; it must be closed. Every view is then rebuilt from the log. */
  dropJournal(): void;
  openFile(version: string): ViewFile;
  /** A thread that writes to the files of a build. */
  openFolder(): RowFolder;
  encoderFor(plan: ViewPlan): ViewRowEncoder;
  sinkFor(view: ViewPlan, plan: DeploymentPlan): SinkWriter | null;
}

export async function openWorkerEnvironment(setup: WorkerSetup): Promise<WorkerEnvironment> {
  const { functions, upcasters } = await loadExtensions(setup.extensions);
  const log = openLogReader(logDir(setup.dataDir));
  const beat = setup.beat === undefined ? null : new WorkBeat(setup.beat);
  const begins = (view: string | null): void => (view === null ? beat?.end() : beat?.begin(view));
  return {
    log,
    longBuild: setup.longBuild ?? LONG_BUILD,
    foldAfter: setup.foldAfter ?? FOLD_AFTER,
    openScan: (order = null) =>
      log.readAhead({
        worthFrom: setup.longBuild ?? LONG_BUILD,
        thread: order === null ? undefined : { module: DECODE_THREAD, order },
      }),
    positions: new SharedPositions(setup.shared),
    makeEngine: (plan, writesTopic) =>
      createEngine({ plan, functions, upcasters, zone: setup.zone, writesTopic, begins }),
    openJournal: () =>
      new Journal<LiveCatalog, LiveNotes>(openStateStore({ path: journalDir(setup.dataDir) }), log.id),
    dropJournal() {
      faultPoint('journal.drop');
      rmSync(journalDir(setup.dataDir), { recursive: true, force: true });
    },
    openFile: version => openViewFile(viewDir(setup.dataDir, version)),
    openFolder: () => new RowFolder(version => viewDir(setup.dataDir, version)),
    encoderFor: plan => new ViewRowEncoder(plan),
    sinkFor: (view, plan) =>
      view.sink === null ? null : new SinkWriter(sinkEncoder(view, plan), topicEntered(view)),
  };
}
