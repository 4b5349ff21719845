import { assert } from '../../core/assert.ts';
import { faultPoint } from '../../core/fault-points.ts';
import type { RecordBlock } from '../../core/log-record.ts';
import type { BlockScan, LogReader } from '../../log/event-log.ts';
import type { DeploymentPlan, PlanNode } from '../../plan/plan.ts';
import { inputsOf } from '../../plan/properties.ts';
import { RowChangeWriter } from '../../view-store/row-changes.ts';
import type { ViewFile } from '../../view-store/view-file.ts';
import type { DecodeOrder, Engine, EpochOutput } from '../dataflow.ts';
import { fewer, tooManyChanges } from '../fewer-at-once.ts';
import { lastChanges } from '../last-changes.ts';
import { Ledger } from '../ledger.ts';
import type { FinishedBuild } from '../live/build-catch-up.ts';
import type { LiveVersion, SinkOutput } from '../live/epoch-output.ts';
import type { SinkWriter } from '../live/sink-writer.ts';
import type { ViewRowEncoder } from '../live/view-rows.ts';
import { ofView } from '../view-failure.ts';
import type { WorkerEnvironment } from '../worker-environment.ts';
import type { RowFolder } from './row-folder.ts';

export interface BuildOrder {
  /** the views to build and everything that they read */
  readonly plan: DeploymentPlan;
  readonly built: readonly LiveVersion[];
  readonly fillTopics: readonly string[];
}

export type BuildPorts = Pick<
  WorkerEnvironment,
  'log' | 'makeEngine' | 'openFile' | 'encoderFor' | 'sinkFor' | 'foldAfter'
> &
  Partial<Pick<WorkerEnvironment, 'openFolder' | 'longBuild'>> & {
    openScan(order: DecodeOrder | null): BlockScan;
  };

interface Building {
  readonly version: LiveVersion;
  readonly file: ViewFile;
  readonly encoder: ViewRowEncoder;
  readonly writer: RowChangeWriter;
  /** changes that left the writer and that the file may not have */
  unfolded: Uint8Array[];
  readonly sink: SinkWriter | null;
}

const RECORDS_PER_EPOCH = 16_384;
/**
 * where a topic is filled: what an epoch gives is taken by the serving thread in one go; and where one record may change
 * many rows, as with window functions
 */
const RECORDS_OF_MUCH = 1_024;
/** records that are left to the adoption, so that a build ends although the log goes on growing */
const LEFT_TO_ADOPTION = 512;

/** Moves rows to the file; when it refuses them they stay at hand. */
function fold(view: Building, position: number): void {
  const changes = view.writer.take();
  view.unfolded.push(isAppend(view) ? changes : lastChanges(changes));
  view.file.fold(view.unfolded, position);
  view.unfolded = [];
}

function opened(ports: BuildPorts, { plan, built, fillTopics }: BuildOrder): ReadonlyMap<string, Building> {
  const views = new Map<string, Building>();
  try {
    for (const version of built) {
      const { name } = version.plan;
      views.set(name, {
        version,
        file: ports.openFile(version.version),
        encoder: ports.encoderFor(version.plan),
        writer: new RowChangeWriter(),
        unfolded: [],
        sink: fillTopics.includes(name) ? ports.sinkFor(version.plan, plan) : null,
      });
    }
  } catch (error) {
    for (const { file } of views.values()) void file.close();
    throw error;
  }
  return views;
}

function asksOver(node: PlanNode): boolean {
  return node.node === 'over' || inputsOf(node).some(asksOver);
}

const isAppend = ({ version }: Building): boolean => version.plan.kind === 'append';

/**
 * A shadow build: views computed from the beginning of the log into files of their own, beside the served ones. Nothing
 * of it is visible until it is adopted.
 */
export class ShadowBuild {
  readonly #log: LogReader;
  readonly #scan: BlockScan;
  #engine: Engine;
  readonly #order: BuildOrder;
  readonly #views: ReadonlyMap<string, Building>;
  readonly #ledger = new Ledger();
  /** end of the log when the build began */
  readonly #target: number;
  #epochSize: number;
  readonly #begin: number;
  /** what comes before it was given already: the engine was made anew, and goes through it once more */
  #given = 0;
  readonly #makeEngine: () => Engine;
  readonly #foldAfter: number;
  /** of long builds; those whose rows it has taken are complete in the file once it is idle */
  readonly #folder: RowFolder | null;
  #outputs: SinkOutput[] = [];
  #closed = false;

  constructor(ports: BuildPorts, order: BuildOrder) {
    this.#log = ports.log;
    this.#target = ports.log.end();
    this.#order = order;
    this.#foldAfter = ports.foldAfter;
    const small = order.fillTopics.length > 0 || order.plan.views.some(v => asksOver(v.root));
    this.#epochSize = small ? RECORDS_OF_MUCH : RECORDS_PER_EPOCH;
    const start = this.#log.start();
    this.#begin = start;
    this.#makeEngine = () => ports.makeEngine(order.plan, view => order.fillTopics.includes(view));
    this.#engine = this.#makeEngine();
    this.#scan = ports.openScan(this.#engine.orderDecoded());
    this.#engine.restore(new Map(), start);
    this.#views = opened(ports, order);
    // the last thing that is opened: nobody would close its thread if another failed
    const { longBuild = Number.POSITIVE_INFINITY } = ports;
    this.#folder = this.#target - start < longBuild ? null : (ports.openFolder?.() ?? null);
  }

  get position(): number {
    return this.#engine.position;
  }

  get caughtUp(): boolean {
    const { position } = this.#engine;
    return position >= Math.max(this.#target, this.#given) && this.#log.end() - position <= LEFT_TO_ADOPTION;
  }

  /** Rows are on their way to the files that have to come there first: neither go on nor finish. */
  get waits(): boolean {
    const folder = this.#folder;
    return folder !== null && (this.caughtUp ? !folder.idle : folder.full);
  }

  /** Throws, as `advance` does, what went wrong with rows on their way. */
  check(): void {
    this.#folder?.check();
  }

  /**
   * Runs one epoch. Throws {@link ViewFailure} when a view goes wrong: the build is then to be closed. After `disk_full`
   * nothing is lost, it may be called again.
   */
  advance(): void {
    if (this.position < this.#given) {
      this.#again();
      return;
    }
    for (const view of this.#views.values()) {
      if (view.writer.count <= this.#foldAfter) continue;
      faultPoint('build.fold');
      this.#fold(view);
    }
    const block = this.#scan.next(this.position, this.#epochSize);
    if (block === null) return;
    const output = this.#step(block);
    if (output === null) return;
    for (const entry of output.ledger) if (this.#views.has(entry.view)) this.#ledger.add(entry);
    for (const [name, batches] of output.changes) {
      const view = this.#views.get(name);
      if (view === undefined) continue;
      ofView(name, () => view.encoder.encode(batches, view.writer));
      const records = ofView(name, () => view.sink?.records(batches, block) ?? []);
      if (records.length > 0) this.#outputs.push({ view: name, records });
    }
  }

  /** Runs one epoch of what was given already. */
  #again(): void {
    for (const block of this.#log.read(this.position, this.#given, this.#epochSize)) {
      this.#step(block);
      return;
    }
  }

  /**
   * Null when a join changed too many rows at once: epochs are smaller from here on, and the engine goes through what it
   * has read once more, for its state. Views and topics have got that already.
   */
  #step(block: RecordBlock): EpochOutput | null {
    const { position } = this;
    try {
      return this.#engine.step(block);
    } catch (error) {
      const goesOn = block.n > 1 && this.#log.start() <= this.#begin;
      if (!goesOn || tooManyChanges(error)?.limit.fewerHelp !== true) throw error;
      this.#epochSize = fewer(Math.min(this.#epochSize, block.n));
      this.#given = Math.max(this.#given, position);
      this.#engine = this.#makeEngine();
      this.#engine.orderDecoded();
      this.#engine.restore(new Map(), this.#begin);
      return null;
    }
  }

  /** whether a view is built, not only read */
  builds(view: string): boolean {
    return this.#views.has(view);
  }

  stateSize(): ReturnType<Engine['stateSize']> {
    return this.#engine.stateSize();
  }

  takeOutputs(): readonly SinkOutput[] {
    return this.#outputs.splice(0);
  }

  #fold(view: Building): void {
    if (this.#folder?.ready !== true || view.unfolded.length > 0) {
      fold(view, this.position);
      return;
    }
    this.#folder.fold(view.version.version, {
      changes: view.writer.take(),
      append: isAppend(view),
      position: this.position,
    });
  }

  /** To be called when caught up, and nothing waits; after `disk_full` it may be called again. */
  finish(): FinishedBuild {
    assert(this.#folder?.idle !== false, 'rows are on their way to the files');
    faultPoint('build.finish');
    for (const view of this.#views.values()) fold(view, this.position);
    const { plan, built, fillTopics } = this.#order;
    const finished: FinishedBuild = {
      position: this.position,
      state: this.#engine.snapshot(),
      ledger: this.#ledger.state(),
      plan,
      built,
      fillTopics,
    };
    this.close();
    faultPoint('build.finished');
    return finished;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#scan.close();
    this.#folder?.close();
    for (const view of this.#views.values()) void view.file.close();
  }
}
