import { assert } from '../../core/assert.ts';
import type { DeploymentPlan, SourceSpec } from '../../plan/plan.ts';
import type { ChangedState } from '../../state/state-section.ts';
import type { ViewFile } from '../../view-store/view-file.ts';
import type { Engine, StateParts } from '../dataflow.ts';
import { Ledger, type LedgerState } from '../ledger.ts';
import { overBudget, pauseOf, stateBytes } from '../memory-budget.ts';
import { ViewFailure } from '../view-failure.ts';
import { type CaughtUpBuild, catchUp, type FinishedBuild } from './build-catch-up.ts';
import {
  encodeChanges,
  encodeOutputs,
  type LiveCatalog,
  type LiveVersion,
  type SinkOutput,
  type ViewChangeBytes,
} from './epoch-output.ts';
import { attemptEngine, type Live, type LiveLoopPorts, openLive, spread } from './live-view.ts';
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
  #committed = -1;
  /** what the next commit says of the versions; null: it is to be made anew */
  #catalog: LiveCatalog | null = null;
  #committing = false;
  /** state to begin again from while it differs from the last commit: after an adoption, or before any commit */
  #base: { readonly position: number; readonly parts: StateParts } | null;
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
    this.#base = { position, parts: new Map() };
  }

  /** Starts from the journal; empty at the end of the log when there is none. */
  static recover(ports: LiveLoopPorts): LiveLoop {
    const { engine, position, live, ...recovered } = recoverViews(ports);
    const loop = new LiveLoop(ports, engine, { sources: recovered.sources, live, position });
    loop.#ledger.load(recovered.ledger);
    loop.#committed = recovered.whole ? position : -1;
    loop.#base = recovered.whole ? null : { position, parts: recovered.parts };
    if (recovered.whole) loop.#catalog = recovered.catalog;
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
    for (const { pending } of this.#live.values()) for (const block of pending) bytes += block.length;
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
        const changes = encodeChanges(output, view => this.#live.get(view)?.encoder);
        const outputs = encodeOutputs(output, view => this.#live.get(view)?.sink);
        for (const entry of output.ledger) this.#ledger.add(entry);
        for (const change of changes) this.#live.get(change.view)?.pending.push(change.bytes);
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
      if (pending.length === 0) continue;
      rows.push({ version, file, blocks: pending, stamp: fault?.position ?? position });
      live.pending = [];
    }
    this.#catalog ??= { sources: this.#sources, versions: this.versions };
    const catalog = this.#catalog;
    const engine = this.#engine;
    try {
      const blocks = new Map(rows.map(r => [r.version, r.blocks]));
      const notes = { ledger: this.#ledger.state() };
      await journal.commit(catalog, { position, states, changes: blocks, notes });
    } catch (error) {
      engine.untrack();
      this.#takeBack(rows);
      throw error;
    }
    if (this.#catalog === catalog) {
      this.#committed = position;
      this.#base = null;
    }
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
      if (back !== undefined) live.pending = [...back.blocks, ...live.pending];
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
    const built = build === null ? NOTHING_BUILT : catchUp(build, position, this.#ports, RECORDS_PER_EPOCH);
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
    const parts = new Map([...this.#engine.snapshot(), ...built.state]);
    const deployed = { sources: plan.sources, views: running };
    const engine = this.#ports.makeEngine(deployed);
    const state = new Map([...parts].filter(([view]) => running.some(v => v.name === view)));
    engine.restore(state, position);
    const opened = new Map([...fresh].map(([name, v]) => [name, openLive(this.#ports, v, deployed)]));

    const before = this.#live;
    this.#engine = engine;
    this.#base = { position, parts: state };
    this.#sources = plan.sources;
    this.#committed = -1;
    this.#catalog = null;
    this.#live = new Map(plan.views.map(v => [v.name, (opened.get(v.name) ?? before.get(v.name)) as Live]));
    for (const { view, bytes } of built.carried) opened.get(view)?.pending.push(bytes);
    for (const old of before.values()) {
      if (this.#live.get(old.plan.name) === old) continue;
      this.#ledger.drop(old.plan.name);
      void old.file.close();
    }
    this.#ledger.load(built.ledger);
    return { carried: built.carried, outputs: built.outputs };
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
    const views = [...this.#live.values()].filter(v => v.fault === undefined && wanted(v.plan.name));
    const engine = this.#ports.makeEngine({ sources: this.#sources, views: views.map(v => v.plan) });
    const base = this.#base;
    if (base !== null) engine.restore(base.parts, base.position);
    const from = base?.position ?? this.#restoreCommitted(engine);
    for (const block of this.#ports.log.read(from, position, RECORDS_PER_EPOCH)) engine.step(block);
    return engine;
  }

  /** The state of the last commit, from where changes count for the next one; its position. */
  #restoreCommitted(engine: Engine): number {
    const { position, states, neededFrom } = this.#ports.journal.committed();
    engine.restore(byName(this.versions, states), position);
    const first = byName(this.versions, neededFrom);
    engine.track(view => first.get(view) ?? 0);
    return position;
  }
}

/** Rows on their way to a view file. */
interface Folding {
  readonly version: string;
  readonly file: ViewFile;
  readonly blocks: readonly Uint8Array[];
  readonly stamp: number;
}

const NOTHING_BUILT: CaughtUpBuild = { state: new Map(), ledger: [], carried: [], outputs: [] };
