import { assert } from '../../core/assert.ts';
import type { Batch } from '../../core/batch.ts';
import type { LogReader } from '../../log/event-log.ts';
import type { DeploymentPlan, SourceSpec, ViewPlan } from '../../plan/plan.ts';
import type { Journal } from '../../state/journal.ts';
import { RowChangeWriter } from '../../view-store/row-changes.ts';
import type { ViewFile } from '../../view-store/view-file.ts';
import type { Engine, EpochOutput, LedgerEntry } from '../dataflow.ts';
import { Ledger, type LedgerState } from '../ledger.ts';
import type { SinkRecord, SinkWriter } from './sink-writer.ts';
import type { ViewRowEncoder } from './view-rows.ts';

/** A view version that is live: its plan and the name of its file. */
export interface LiveVersion {
  readonly plan: ViewPlan;
  readonly version: string;
  /** the whole file that the plan was made from: the last good text while the file is broken */
  readonly text: string;
}

/** What the journal remembers of the live views; plain data. */
export interface LiveCatalog {
  readonly sources: readonly SourceSpec[];
  readonly versions: readonly LiveVersion[];
  readonly ledger: LedgerState;
}

/** One epoch as the serving thread gets it. */
export interface PublishedEpoch {
  readonly position: number;
  readonly changes: readonly ViewChangeBytes[];
  readonly outputs: readonly SinkOutput[];
  readonly ledger: readonly LedgerEntry[];
  /** next clock time at which a tick is needed */
  readonly deadline: number | null;
}

export interface ViewChangeBytes {
  readonly view: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface SinkOutput {
  readonly view: string;
  readonly records: readonly SinkRecord[];
}

export interface LiveLoopPorts {
  readonly log: LogReader;
  readonly journal: Journal<LiveCatalog>;
  makeEngine(plan: DeploymentPlan): Engine;
  openFile(version: string): ViewFile;
  encoderFor(plan: ViewPlan): ViewRowEncoder;
  /** null for a view that writes no topic */
  sinkFor(plan: ViewPlan): SinkWriter | null;
  publish(epoch: PublishedEpoch): void;
  /** position that the serving thread has shown to readers: files may fold up to it */
  shown(): number;
}

interface Live extends LiveVersion {
  readonly file: ViewFile;
  readonly encoder: ViewRowEncoder;
  readonly sink: SinkWriter | null;
  /** row changes since the last commit */
  pending: Uint8Array[];
}

/** A finished shadow build: plans, files and state, all at `position`. */
export interface FinishedBuild {
  readonly position: number;
  readonly state: ReadonlyMap<string, Uint8Array>;
  readonly ledger: LedgerState;
  /** everything the build's engine ran: the built views and what they read */
  readonly plan: DeploymentPlan;
  readonly built: readonly LiveVersion[];
}

/** What changed in built views between the end of their build and their adoption. */
export interface Adoption {
  readonly carried: readonly ViewChangeBytes[];
  readonly outputs: readonly SinkOutput[];
}

const RECORDS_PER_EPOCH = 4096;

/**
 * All live views over the log: one engine, one position, one commit. Synchronous; the thread around it
 * (`live-worker.ts`) decides when to call what.
 */
export class LiveLoop {
  readonly #ports: LiveLoopPorts;
  #engine: Engine;
  #sources: readonly SourceSpec[];
  #live = new Map<string, Live>();
  readonly #ledger = new Ledger();
  #committed = -1;
  #unfolded: { position: number; changes: Map<string, readonly Uint8Array[]> } | null = null;

  private constructor(ports: LiveLoopPorts, sources: readonly SourceSpec[], engine: Engine) {
    this.#ports = ports;
    this.#sources = sources;
    this.#engine = engine;
  }

  /** Starts from the journal, or empty when there is none or it cannot be read by this version. */
  static recover(ports: LiveLoopPorts): LiveLoop {
    const recovered = ports.journal.recover(ports.log.end());
    const versions = recovered?.catalog.versions ?? [];
    const sources = recovered?.catalog.sources ?? [];
    const engine = ports.makeEngine({ sources, views: versions.map(v => v.plan) });
    const loop = new LiveLoop(ports, sources, engine);
    for (const version of versions) loop.#add(version);
    if (recovered === null) return loop;
    engine.restore(decodeParts(recovered.snapshot), recovered.position);
    loop.#ledger.load(recovered.catalog.ledger);
    loop.#committed = recovered.position;
    for (const live of loop.#live.values()) {
      live.file.fold(recovered.unfolded.get(live.version) ?? [], recovered.position);
    }
    ports.journal.folded();
    return loop;
  }

  get position(): number {
    return this.#engine.position;
  }

  get versions(): readonly LiveVersion[] {
    return [...this.#live.values()].map(({ plan, version, text }) => ({ plan, version, text }));
  }

  get ledger(): LedgerState {
    return this.#ledger.state();
  }

  get behindCommit(): boolean {
    return this.#engine.position > this.#committed;
  }

  deadline(): number | null {
    return this.#engine.deadline();
  }

  stateSize(): ReturnType<Engine['stateSize']> {
    return this.#engine.stateSize();
  }

  /** Runs one epoch if the log has more; false when caught up. */
  advance(to: number = this.#ports.log.end()): boolean {
    if (this.#engine.position >= to) return false;
    for (const block of this.#ports.log.read(this.#engine.position, to, RECORDS_PER_EPOCH)) {
      this.#publish(this.#engine.step(block));
      return true;
    }
    return false;
  }

  /** Commits state, rows and position. The rows go to the view files later, with {@link fold}. */
  commit(): void {
    this.fold();
    if (this.#unfolded !== null) return; // the serving thread is still behind the last commit
    const changes = new Map<string, readonly Uint8Array[]>();
    for (const live of this.#live.values()) {
      if (live.pending.length > 0) changes.set(live.version, live.pending);
      live.pending = [];
    }
    const position = this.#engine.position;
    const catalog: LiveCatalog = {
      sources: this.#sources,
      versions: this.versions,
      ledger: this.#ledger.state(),
    };
    this.#ports.journal.commit(catalog, {
      position,
      snapshot: encodeParts(this.#engine.snapshot()),
      changes,
    });
    this.#committed = position;
    this.#unfolded = { position, changes };
    this.fold();
  }

  /** Moves committed rows into the view files once readers have seen them; returns the position folded to, or null. */
  fold(): number | null {
    const unfolded = this.#unfolded;
    if (unfolded === null || this.#ports.shown() < unfolded.position) return null;
    for (const live of this.#live.values()) {
      live.file.fold(unfolded.changes.get(live.version) ?? [], unfolded.position);
    }
    this.#ports.journal.folded();
    this.#unfolded = null;
    return unfolded.position;
  }

  /**
   * Takes finished builds in and drops removed views, in one step between two epochs. The build is brought to the
   * position of the live views first; what changes on the way is returned per built view, for the overlay of its rows.
   */
  adopt(plan: DeploymentPlan, build: FinishedBuild | null): Adoption {
    const parts = new Map(this.#engine.snapshot());
    const carried: ViewChangeBytes[] = [];
    const outputs: SinkOutput[] = [];
    let position = this.#engine.position;
    if (build !== null) {
      while (this.#engine.position < build.position)
        assert(this.advance(build.position), 'the log has shrunk');
      position = this.#engine.position;
      for (const [view, part] of this.#engine.snapshot()) parts.set(view, part);
      const catchUp = this.#ports.makeEngine(build.plan);
      catchUp.restore(build.state, build.position);
      const ledger = new Ledger();
      ledger.load(build.ledger);
      const encoders = new Map(build.built.map(v => [v.plan.name, this.#ports.encoderFor(v.plan)]));
      const sinks = new Map(build.built.map(v => [v.plan.name, this.#ports.sinkFor(v.plan)]));
      const names = new Set(encoders.keys());
      while (catchUp.position < position) {
        for (const block of this.#ports.log.read(catchUp.position, position, RECORDS_PER_EPOCH)) {
          const output = catchUp.step(block);
          for (const entry of output.ledger) if (names.has(entry.view)) ledger.add(entry);
          carried.push(...encodeChanges(output, view => encoders.get(view)));
          outputs.push(...encodeOutputs(output, view => sinks.get(view) ?? null));
        }
      }
      const built = catchUp.snapshot();
      for (const name of names) {
        const part = built.get(name);
        if (part !== undefined) parts.set(name, part);
        this.#ledger.drop(name);
      }
      this.#ledger.load(ledger.state().filter(account => names.has(account.view)));
    }
    const engine = this.#ports.makeEngine(plan);
    engine.restore(new Map([...parts].filter(([view]) => plan.views.some(v => v.name === view))), position);
    this.#engine = engine;
    this.#sources = plan.sources;
    this.#committed = -1;
    this.#replaceVersions(plan, build, carried);
    return { carried, outputs };
  }

  async close(): Promise<void> {
    for (const live of this.#live.values()) await live.file.close();
    await this.#ports.journal.close();
  }

  #replaceVersions(
    plan: DeploymentPlan,
    build: FinishedBuild | null,
    carried: readonly ViewChangeBytes[],
  ): void {
    const before = this.#live;
    this.#live = new Map();
    for (const view of plan.views) {
      const built = build?.built.find(v => v.plan.name === view.name);
      const old = before.get(view.name);
      if (built !== undefined) {
        const live = this.#add(built);
        live.pending.push(...carried.filter(c => c.view === view.name).map(c => c.bytes));
      } else {
        assert(old !== undefined, `view ${view.name} is neither live nor built`);
        this.#live.set(view.name, old);
      }
    }
    for (const old of before.values()) {
      if (this.#live.get(old.plan.name) !== old) void old.file.close();
    }
    for (const name of before.keys()) if (!this.#live.has(name)) this.#ledger.drop(name);
  }

  #add(version: LiveVersion): Live {
    const live: Live = {
      ...version,
      file: this.#ports.openFile(version.version),
      encoder: this.#ports.encoderFor(version.plan),
      sink: this.#ports.sinkFor(version.plan),
      pending: [],
    };
    this.#live.set(version.plan.name, live);
    return live;
  }

  #publish(output: EpochOutput): void {
    for (const entry of output.ledger) this.#ledger.add(entry);
    const changes = encodeChanges(output, view => this.#live.get(view)?.encoder);
    for (const change of changes) this.#live.get(change.view)?.pending.push(change.bytes);
    const outputs = encodeOutputs(output, view => this.#live.get(view)?.sink ?? null);
    this.#ports.publish({
      position: output.position,
      changes,
      outputs,
      ledger: output.ledger,
      deadline: this.#engine.deadline(),
    });
  }
}

function encodeOutputs(output: EpochOutput, sinkOf: (view: string) => SinkWriter | null): SinkOutput[] {
  const outputs: SinkOutput[] = [];
  for (const [view, batches] of output.changes) {
    const records = sinkOf(view)?.records(batches) ?? [];
    if (records.length > 0) outputs.push({ view, records });
  }
  return outputs;
}

function encodeChanges(
  output: EpochOutput,
  encoderOf: (view: string) => ViewRowEncoder | undefined,
): ViewChangeBytes[] {
  const changes: ViewChangeBytes[] = [];
  const writer = new RowChangeWriter();
  for (const [view, batches] of output.changes) {
    const encoder = encoderOf(view);
    if (encoder === undefined) continue;
    for (const batch of batches as readonly Batch[]) encoder.encode(batch, writer);
    if (writer.count > 0) changes.push({ view, bytes: writer.take() });
  }
  return changes;
}

/** u32 count, then per part: u32 name length, u32 length, name, bytes. */
export function encodeParts(parts: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const names = [...parts.keys()].map(name => new TextEncoder().encode(name));
  const values = [...parts.values()];
  const size = 4 + names.reduce((n, name, i) => n + 8 + name.length + (values[i]?.length ?? 0), 0);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setUint32(0, names.length, true);
  let at = 4;
  names.forEach((name, i) => {
    const value = values[i] as Uint8Array;
    view.setUint32(at, name.length, true);
    view.setUint32(at + 4, value.length, true);
    out.set(name, at + 8);
    out.set(value, at + 8 + name.length);
    at += 8 + name.length + value.length;
  });
  return out;
}

export function decodeParts(bytes: Uint8Array): Map<string, Uint8Array> {
  const parts = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 4;
  for (let left = view.getUint32(0, true); left > 0; left--) {
    const nameEnd = at + 8 + view.getUint32(at, true);
    const end = nameEnd + view.getUint32(at + 4, true);
    parts.set(new TextDecoder().decode(bytes.subarray(at + 8, nameEnd)), bytes.subarray(nameEnd, end));
    at = end;
  }
  return parts;
}
