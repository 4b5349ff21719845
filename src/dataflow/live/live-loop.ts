import { assert } from '../../core/assert.ts';
import type { DeploymentPlan, SourceSpec } from '../../plan/plan.ts';
import type { ChangedState } from '../../state/state-section.ts';
import { Turns } from '../../state/turns.ts';
import { RowChangeWriter } from '../../view-store/row-changes.ts';
import type { ViewFile } from '../../view-store/view-file.ts';
import type { Engine, StateParts } from '../dataflow.ts';
import { withFewerAtOnce } from '../fewer-at-once.ts';
import { Ledger, type LedgerState } from '../ledger.ts';
import { overBudget, pauseOf, stateBytes } from '../memory-budget.ts';
import { ViewFailure } from '../view-failure.ts';
import { catchUp, type FinishedBuild } from './build-catch-up.ts';
import {
  encodeChanges,
  encodeOutputs,
  type LiveCatalog,
  type LiveVersion,
  type SinkOutput,
  type ViewChangeBytes,
} from './epoch-output.ts';
import { attemptEngine, type Live, type LiveLoopPorts, openLive, spread } from './live-view.ts';
import type { PendingChanges } from './pending-changes.ts';
import type { HeldUp } from './protocol.ts';
import { byName, recoverViews } from './recovery.ts';

/** What changed in built views between the end of their build and their adoption. */
export interface Adoption {
  readonly carried: readonly ViewChangeBytes[];
  readonly outputs: readonly SinkOutput[];
}

const RECORDS_PER_EPOCH = 4096;

/**
 * All live views over the log: one engine, one position, one commit. Synchronous; the thread around it
 * (`live-worker.ts`) decides when to call what.
 *
 * A view that throws is set aside with those that read it: its rows stay as they were, the others go on. The engine is
 * made anew without it from the last commit, up to the position reached, without telling anybody a second time.
 */
export class LiveLoop {
  readonly #ports: LiveLoopPorts;
  #engine: Engine;
  #sources: readonly SourceSpec[];
  #live = new Map<string, Live>();
  readonly #ledger = new Ledger();
  readonly #changes = new RowChangeWriter();
  #committed = -1;
  /** what the next commit says of the versions; null: it is to be made anew */
  #catalog: LiveCatalog | null = null;
  #committing = false;
  /** what the journal's states belong to */
  #committedVersions: readonly LiveVersion[] = [];
  /** state to begin again from while it differs from the last commit: after an adoption, or before any commit */
  #base: (() => Base) | null;
  /** state of builds that the journal does not hold yet, by version */
  #firsts = new Map<string, Uint8Array>();
  /** smaller epochs while a record is looked for that a view cannot take */
  #narrowed: { readonly until: number; readonly size: number } | null = null;

  private constructor(
    ports: LiveLoopPorts,
    engine: Engine,
    { sources, live, position }: { sources: readonly SourceSpec[]; live: readonly Live[]; position: number },
  ) {
    this.#ports = ports;
    this.#engine = engine;
    this.#sources = sources;
    for (const view of live) this.#live.set(view.plan.name, view);
    this.#base = () => ({ position, parts: new Map() });
  }

  /** Starts from the journal; empty at the end of the log when there is none. */
  static recover(ports: LiveLoopPorts): LiveLoop {
    const { engine, position, live, ...recovered } = recoverViews(ports);
    const loop = new LiveLoop(ports, engine, { sources: recovered.sources, live, position });
    loop.#ledger.load(recovered.ledger);
    loop.#committed = recovered.whole ? position : -1;
    loop.#base = recovered.whole ? null : () => ({ position, parts: recovered.parts });
    if (recovered.whole) loop.#catalog = recovered.catalog;
    loop.#committedVersions = recovered.catalog?.versions ?? [];
    return loop;
  }

  get position(): number {
    return this.#engine.position;
  }

  get versions(): readonly LiveVersion[] {
    return [...this.#live.values()].map(({ plan, version, text, fault, since }) => ({
      plan,
      version,
      text,
      ...(fault === undefined ? {} : { fault }),
      ...(since === undefined ? {} : { since }),
    }));
  }

  get ledger(): LedgerState {
    return this.#ledger.state();
  }

  get behindCommit(): boolean {
    return this.#engine.position > this.#committed;
  }

  /** A commit is on its way; until it has ended there is no other, and no adoption. */
  get committing(): boolean {
    return this.#committing;
  }

  /** bytes of row changes since the last commit */
  get pendingBytes(): number {
    let bytes = 0;
    for (const { pending } of this.#live.values()) bytes += pending.bytes;
    return bytes;
  }

  deadline(): number | null {
    return this.#engine.deadline();
  }

  stateSize(): ReturnType<Engine['stateSize']> {
    return this.#engine.stateSize();
  }

  /** Pauses views, the one with most state first, until the state of the others is within a budget; gives its bytes. */
  keepWithin(budget: number): number {
    for (;;) {
      const sizes = this.#engine.stateSize();
      const over = overBudget(sizes, { budget });
      if (over === null) return stateBytes(sizes);
      this.#setAside(over, this.#engine.position);
    }
  }

  /** Goes on without a view that held its worker up, from where it stood. */
  giveUp({ view, position, message }: HeldUp): void {
    const live = this.#live.get(view);
    if (live === undefined || live.fault !== undefined) return;
    while (this.position < position && this.advance(position));
    this.#setAside(new ViewFailure(view, message), this.position);
  }

  /** Runs one epoch if the log has more; false when caught up. */
  advance(to: number = this.#ports.log.end()): boolean {
    const from = this.#engine.position;
    // what a worker before this one has shown comes again, cut where readers stand
    const shown = this.#ports.shown();
    const until = from < shown ? Math.min(to, shown) : to;
    if (from >= until) return false;
    for (const block of this.#ports.log.read(from, until, this.#epochSize(from))) {
      try {
        const output = this.#engine.step(block);
        const changes = encodeChanges(output, this.#changes, view => this.#live.get(view)?.encoder);
        const outputs = encodeOutputs(output, block, view => this.#live.get(view)?.sink);
        for (const entry of output.ledger) this.#ledger.add(entry);
        for (const change of changes) this.#live.get(change.view)?.pending.append(change.bytes);
        const { position, ledger } = output;
        this.#ports.publish({ position, changes, outputs, ledger, deadline: this.#engine.deadline() });
      } catch (error) {
        if (!(error instanceof ViewFailure)) throw error;
        if (block.n === 1 || !this.#narrow(from, block.n)) this.#setAside(error, from);
      }
      return true;
    }
    return false;
  }

  /**
   * Begins to commit state, rows and position as they are now, and then to move the rows to the view files; epochs may go
   * on meanwhile. Resolves with the position when all of it is durable. Null, and nothing done, while readers or derived
   * topics are behind: then the next start could skip what they have not got.
   */
  commit(): Promise<number> | null {
    const { position } = this.#engine;
    if (this.#committing || this.#ports.shown() < position || this.#ports.written() < position) return null;
    let changes: ReturnType<Engine['changes']>;
    try {
      changes = this.#engine.changes(this.#ports.journal.next);
    } catch (error) {
      if (!(error instanceof ViewFailure)) throw error;
      this.#setAside(error, position);
      return null;
    }
    this.#committing = true;
    return this.#write(position, changes).finally(() => {
      this.#committing = false;
    });
  }

  async #write(position: number, changed: ReturnType<Engine['changes']>): Promise<number> {
    const { journal } = this.#ports;
    const states = new Map<string, ChangedState>();
    const rows: Folding[] = [];
    for (const live of this.#live.values()) {
      const { version, file, pending, fault, plan } = live;
      const state = changed.get(plan.name);
      if (state !== undefined) states.set(version, state);
      if (pending.bytes === 0) continue;
      const blocks = pending.take();
      rows.push({ version, file, pending, blocks, stamp: fault?.position ?? position });
    }
    this.#catalog ??= { sources: this.#sources, versions: this.versions };
    const catalog = this.#catalog;
    const engine = this.#engine;
    const firsts = new Map(this.#firsts);
    const notes = { ledger: this.#ledger.state() };
    try {
      const turns = new Turns();
      for (const row of rows) {
        row.blocks = row.pending.shortened(row.blocks);
        await turns.pass();
      }
      const changes = new Map(rows.map(r => [r.version, r.blocks]));
      await journal.commit(catalog, { position, states, firsts, changes, notes });
      this.#committedVersions = catalog.versions;
    } catch (error) {
      // it may be there all the same: the next one does not count on anything before
      this.#engine.untrack();
      this.#firsts.clear();
      this.#takeBack(rows);
      throw error;
    }
    this.#base = null;
    this.#firsts = new Map();
    // what an engine counts that was made meanwhile are changes since the commit before this one
    if (this.#engine !== engine) this.#engine.untrack();
    if (this.#catalog === catalog) this.#committed = position;
    try {
      for (const { file, blocks, stamp } of rows) await file.foldLater(blocks, stamp);
      if (rows.length > 0) await journal.folded();
    } catch (error) {
      this.#takeBack(rows);
      throw error;
    }
    return position;
  }

  /** Rows that did not come to the files go with the next commit. */
  #takeBack(rows: readonly Folding[]): void {
    for (const live of this.#live.values()) {
      const back = rows.find(r => r.version === live.version);
      if (back !== undefined) live.pending.putBack(back.blocks);
    }
  }

  /**
   * Takes finished builds in and drops removed views, in one step between two epochs. The build is brought to the
   * position of the live views first; what changes on the way is returned per built view, for the overlay of its rows.
   * A throw leaves everything as it was.
   */
  adopt(plan: DeploymentPlan, build: FinishedBuild | null): Adoption {
    assert(!this.#committing, 'an adoption comes between two commits');
    if (build !== null) {
      while (this.position < build.position) assert(this.advance(build.position), 'the log has shrunk');
    }
    const { position } = this.#engine;
    const first = this.#ports.journal.next - 1;
    const caughtUp = (from: FinishedBuild) =>
      withFewerAtOnce(RECORDS_PER_EPOCH, recordsPerEpoch =>
        catchUp(from, position, this.#ports, { recordsPerEpoch, first }),
      );
    const built = build === null ? null : caughtUp(build);
    const fresh = new Map((build?.built ?? []).map(v => [v.plan.name, v]));
    const running = plan.views.filter(v => {
      const live = this.#live.get(v.name);
      assert(live !== undefined || fresh.has(v.name), `view ${v.name} is neither live nor built`);
      return fresh.has(v.name) || live?.fault === undefined;
    });
    for (const view of running) {
      const stopped = view.reads.find(
        r => plan.views.some(v => v.name === r) && !running.some(v => v.name === r),
      );
      if (stopped !== undefined) throw new ViewFailure(view.name, `it reads ${stopped}, which went wrong`);
    }
    const deployed = { sources: plan.sources, views: running };
    const engine = this.#ports.makeEngine(deployed);
    engine.restore(new Map(), position);
    const opened = new Map([...fresh].map(([name, v]) => [name, openLive(this.#ports, v, deployed)]));

    // nothing is refused from here on: the engines before this one give their state away
    const kept = running.filter(v => !fresh.has(v.name)).map(v => v.name);
    this.#beginFrom(position, kept, build);
    moveState(engine, this.#engine, kept);
    this.#firsts = new Map();
    if (built !== null && build !== null && moveState(engine, built.engine, [...fresh.keys()])) {
      for (const [view, [state]] of build.state) {
        const version = fresh.get(view)?.version;
        if (version !== undefined && state !== undefined) this.#firsts.set(version, state);
      }
    }
    const before = this.#live;
    this.#engine = engine;
    this.#sources = plan.sources;
    this.#committed = -1;
    this.#catalog = null;
    this.#live = new Map(plan.views.map(v => [v.name, (opened.get(v.name) ?? before.get(v.name)) as Live]));
    for (const { view, bytes } of built?.carried ?? []) opened.get(view)?.pending.append(bytes);
    for (const old of before.values()) {
      if (this.#live.get(old.plan.name) === old) continue;
      this.#ledger.drop(old.plan.name);
      void old.file.close();
    }
    this.#ledger.load(built?.ledger ?? []);
    return { carried: built?.carried ?? [], outputs: built?.outputs ?? [] };
  }

  /**
   * Until the adoption is committed, state to begin again from is what was there before, brought to the position of the
   * adoption, and the state of the build, brought there too. It is computed when it is needed: after a failure.
   */
  #beginFrom(position: number, kept: readonly string[], build: FinishedBuild | null): void {
    const sources = this.#sources;
    const plans = [...this.#live.values()].map(v => v.plan).filter(p => kept.includes(p.name));
    const before = this.#base;
    const begun = (recordsPerEpoch: number): Base => {
      const engine = this.#ports.makeEngine({ sources, views: plans });
      const from = before === null ? this.#committedState() : before();
      engine.restore(from.parts, from.position);
      // the commit of the adoption may be there already, and not be told of yet
      const at = Math.max(position, from.position);
      for (const block of this.#ports.log.read(from.position, at, recordsPerEpoch)) engine.step(block);
      const parts = new Map(engine.snapshot());
      if (build !== null) {
        const size = { recordsPerEpoch, first: 0 };
        const again = catchUp(build, at, this.#ports, size).engine.snapshot();
        for (const { plan } of build.built) parts.set(plan.name, again.get(plan.name) ?? []);
      }
      return { position: at, parts };
    };
    this.#base = () => withFewerAtOnce(RECORDS_PER_EPOCH, begun);
  }

  async close(): Promise<void> {
    for (const live of this.#live.values()) await live.file.close();
    await this.#ports.journal.close();
  }

  #epochSize(from: number): number {
    if (this.#narrowed !== null && from >= this.#narrowed.until) this.#narrowed = null;
    return this.#narrowed?.size ?? RECORDS_PER_EPOCH;
  }

  /**
   * A view threw somewhere in an epoch: smaller epochs find the record, so that all before it counts for the view.
   * False when the views do not even come back to where they were.
   */
  #narrow(from: number, records: number): boolean {
    const engine = attemptEngine(new Map(), () => this.#engineAt(from, () => true));
    if (engine === null) return false;
    this.#engine = engine;
    this.#narrowed = { until: from + records, size: records >> 1 };
    return true;
  }

  /** Goes on without a view that threw or has too much state, and without those that read it. */
  #setAside(first: ViewFailure, position: number): void {
    const paused = pauseOf(first);
    const messages = new Map([[first.view, first.message]]);
    const plans = [...this.#live.values()].filter(v => v.fault === undefined);
    for (;;) {
      spread(messages, plans, name => `it reads ${name}, which ${paused ? 'is paused' : 'went wrong'}`);
      const engine = attemptEngine(messages, () => this.#engineAt(position, view => !messages.has(view)));
      if (engine === null) continue;
      this.#engine = engine;
      break;
    }
    const why = paused === undefined ? {} : { paused };
    const faults = [...messages].map(([view, message]) => ({ view, fault: { message, position, ...why } }));
    for (const { view, fault } of faults) {
      const live = this.#live.get(view);
      if (live !== undefined) this.#live.set(view, { ...live, fault });
    }
    this.#committed = -1;
    this.#catalog = null;
    this.#ports.setAside(faults);
  }

  /** A fresh engine of the live views, from the last commit to `position`. */
  #engineAt(position: number, wanted: (view: string) => boolean): Engine {
    return withFewerAtOnce(RECORDS_PER_EPOCH, records => this.#engineOf(position, wanted, records));
  }

  #engineOf(position: number, wanted: (view: string) => boolean, recordsPerEpoch: number): Engine {
    const views = [...this.#live.values()].filter(v => v.fault === undefined && wanted(v.plan.name));
    const engine = this.#ports.makeEngine({ sources: this.#sources, views: views.map(v => v.plan) });
    const base = this.#base?.();
    this.#firsts.clear();
    if (base !== undefined) engine.restore(base.parts, base.position);
    const from = base?.position ?? this.#restoreCommitted(engine);
    for (const block of this.#ports.log.read(from, position, recordsPerEpoch)) engine.step(block);
    return engine;
  }

  /** The state of the last commit, from where changes count for the next one; its position. */
  #restoreCommitted(engine: Engine): number {
    const { position, parts, neededFrom } = this.#committedState();
    engine.restore(parts, position);
    engine.track(view => neededFrom.get(view) ?? 0);
    return position;
  }

  #committedState(): Base & { readonly neededFrom: ReadonlyMap<string, number> } {
    const { position, states, neededFrom } = this.#ports.journal.committed();
    const versions = this.#committedVersions;
    return { position, parts: byName(versions, states), neededFrom: byName(versions, neededFrom) };
  }
}

/** Rows on their way to a view file. */
interface Folding {
  readonly version: string;
  readonly file: ViewFile;
  readonly pending: PendingChanges;
  blocks: readonly Uint8Array[];
  readonly stamp: number;
}

/** State to begin again from. */
interface Base {
  readonly position: number;
  readonly parts: StateParts;
}

/** False when the state had to be copied. */
function moveState(to: Engine, from: Engine, views: readonly string[]): boolean {
  if (to.takeOver(from, views)) return true;
  to.restore(new Map([...from.snapshot()].filter(([view]) => views.includes(view))), to.position);
  return false;
}
