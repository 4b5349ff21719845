import { MillraceError } from '../core/errors.ts';
import { commonEnd, type LogIdentity } from '../core/log-identity.ts';
import type { OpenView, ServedRow } from '../deploy/view-access.ts';
import type { SinkKind, SinkState, SinkTarget } from './sink-target.ts';
import { type SinkViews, ViewFollowing } from './view-following.ts';

export interface Sink {
  readonly name: string;
  readonly view: string;
  readonly kind: SinkKind;
  /** rows of another log are replaced, once; otherwise they are refused: their server may be there still */
  readonly takeOver?: boolean | undefined;
}

export interface SinkStatus {
  readonly name: string;
  readonly view: string;
  /** where the rows go: `postgres public.totals` */
  readonly place: string;
  /** `waiting`: for the view's first version */
  readonly state: 'waiting' | 'connecting' | 'loading' | 'running' | 'retrying' | 'stopped';
  /** the rows there are the view's at this position, or later; null: not known, or none are there */
  readonly position: number | null;
  /** records that the rows there are behind the view; null: not known */
  readonly behind: number | null;
  /** rows that a load under way has written */
  readonly loaded: number | null;
  /** since the start */
  readonly changes: number;
  readonly loads: number;
  /** why it is retrying */
  readonly failure: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    readonly attempts: number;
  } | null;
  /** what an operator should know, the last one */
  readonly notice: string | null;
}

export interface RunnerPorts {
  readonly log: LogIdentity;
  readonly views: SinkViews;
  /** resolves after ms, or when the signal is aborted */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly report: (text: string) => void;
}

/** rows of one turn of the event loop while a view is loaded */
const PAGE = 500;
/** ms between retries: the first, and the longest */
const FIRST_RETRY = 250;
const LONGEST_RETRY = 30_000;
/** ms after which a position without changes is made durable */
const IDLE = 10_000;
/** ms that the last call may take when the process stops */
const LAST_CALL = 3_000;

/** Keeps the rows of one view in one target, whatever happens to either. */
export class SinkRunner {
  readonly sink: Sink;
  readonly #ports: RunnerPorts;
  readonly #progress = new Set<() => void>();
  #state: SinkStatus['state'] = 'stopped';
  /** what the target holds durably */
  #held: SinkState | null = null;
  /** no rows of this log were there since the start, and those of another one may go for them */
  #takesOver: boolean;
  #following: ViewFollowing | null = null;
  #loaded: number | null = null;
  #changes = 0;
  #loads = 0;
  #failure: SinkStatus['failure'] = null;
  #notice: string | null = null;
  #running: { readonly abort: AbortController; readonly ended: Promise<void> } | null = null;

  constructor(sink: Sink, ports: RunnerPorts) {
    this.sink = sink;
    this.#takesOver = sink.takeOver === true;
    this.#ports = ports;
  }

  /** every change by a record with a smaller sequence is in the target; null: not known */
  get position(): number | null {
    if (this.#held === null) return null;
    // a position without changes is reached without a write
    return this.#state === 'running' ? (this.#following?.idleAt ?? this.#held.position) : this.#held.position;
  }

  get status(): SinkStatus {
    const { name, view, kind } = this.sink;
    const { position } = this;
    return {
      name,
      view,
      place: kind.place,
      state: this.#state,
      position,
      behind: position === null ? null : Math.max(0, this.#ports.views.position() - position),
      loaded: this.#loaded,
      changes: this.#changes,
      loads: this.#loads,
      failure: this.#failure,
      notice: this.#notice,
    };
  }

  start(): void {
    if (this.#running) return;
    const abort = new AbortController();
    this.#running = { abort, ended: this.#run(abort.signal) };
  }

  /** What was taken from the view is written; the target knows its position. */
  async stop(): Promise<void> {
    const running = this.#running;
    running?.abort.abort();
    this.#following?.finish();
    await running?.ended;
    this.#running = null;
    this.#state = 'stopped';
  }

  /** Whether the target has reached a position within `ms`. */
  async reaches(seq: number, ms: number): Promise<boolean> {
    if (this.#at(seq)) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const look = () => {
      if (this.#at(seq)) resolve(true);
    };
    const timer = setTimeout(() => resolve(false), ms);
    this.#progress.add(look);
    void this.#ports.views.waitFor(seq, ms).then(look);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#progress.delete(look);
    }
  }

  #at(seq: number): boolean {
    const { position } = this;
    return position !== null && position >= seq;
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      const before = this.#held;
      try {
        await this.#session(signal);
      } catch (error) {
        if (signal.aborted) break;
        if (this.#held !== null && this.#held !== before) attempt = 1;
        await this.#failed(error, attempt, signal);
      }
    }
  }

  async #failed(error: unknown, attempt: number, signal: AbortSignal): Promise<void> {
    const { code, message, hint } = factsOf(error);
    const waits = code === 'view_building' || code === 'unknown_view';
    if (!waits && this.#failure?.message !== message) {
      this.#ports.report(`sink ${this.sink.name}: ${message}${hint === null ? '' : ` (${hint})`}`);
    }
    this.#state = waits ? 'waiting' : 'retrying';
    this.#failure = waits && code === 'view_building' ? null : { code, message, hint, attempts: attempt };
    const longer = waits ? 0 : Math.min(attempt - 1, 20);
    await this.#ports.wait(Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** longer), signal);
  }

  /** One connection, for as long as it lasts. */
  async #session(signal: AbortSignal): Promise<void> {
    let lost: Error | null = null;
    const target = this.sink.kind.make({
      lost: error => {
        lost ??= error;
        this.#following?.close();
      },
      notice: text => {
        this.#notice = text;
        this.#ports.report(`sink ${this.sink.name}: ${text}`);
      },
    });
    const cut = () => setTimeout(() => void target.close(), LAST_CALL).unref();
    signal.addEventListener('abort', cut);
    try {
      while (!signal.aborted && lost === null) await this.#keep(target, signal, () => lost);
    } finally {
      signal.removeEventListener('abort', cut);
      this.#following?.close();
      this.#following = null;
      this.#loaded = null;
      await target.close();
    }
    if (lost !== null) throw lost;
  }

  /** Keeps one version of the view, until another one is served. */
  async #keep(target: SinkTarget, signal: AbortSignal, lost: () => Error | null): Promise<void> {
    if (this.#failure === null) this.#state = 'connecting';
    const view = this.#ports.views.open(this.sink.view);
    const found = await target.open(view);
    if (signal.aborted) return;
    this.#refuseForeign(found);
    this.#held = this.#continues(found, view) ? found : null;
    this.#held ??= await this.#load(target, view, signal);
    if (this.#held === null) return; // another version is served, or the process stops
    this.#takesOver = false;
    const following = new ViewFollowing(this.#ports.views, view, this.#held.position);
    this.#following = following;
    if (signal.aborted) following.finish();
    this.#state = 'running';
    this.#failure = null;
    this.#moved();
    try {
      for (;;) {
        const batch = await following.take(IDLE);
        if (lost() !== null) return;
        if (batch === null) return;
        if (batch.changes.length === 0 && batch.position === this.#held.position) continue;
        await this.#apply(target, batch.changes, batch.position);
      }
    } catch (error) {
      if (!(error instanceof MillraceError && error.code === 'position_expired')) throw error;
      // too much was missed to be computed again: the rows are loaded anew
      this.#ports.report(`sink ${this.sink.name}: ${error.message}; the rows are loaded anew`);
      this.#held = await this.#load(target, view, signal);
    } finally {
      following.close();
      this.#following = null;
    }
  }

  async #apply(
    target: SinkTarget,
    changes: Parameters<SinkTarget['apply']>[0],
    position: number,
  ): Promise<void> {
    const from = this.#held as SinkState;
    const to = { ...from, position };
    await target.apply(changes, from, to);
    this.#held = to;
    this.#changes += changes.length;
    this.#following?.arrived();
    this.#moved();
  }

  /** Throws `sink_conflict` for rows of another log, whose server may only be idle. */
  #refuseForeign(found: SinkState | null): void {
    if (found === null || this.#takesOver || commonEnd(this.#ports.log, found.log) !== null) return;
    const { name, kind } = this.sink;
    throw new MillraceError('sink_conflict', `${kind.place} holds the rows of another log`, {
      hint: `two servers need two sinks and two places; if the other one is no more, write "takeOver: true" at sink "${name}" and start again`,
    });
  }

  #continues(found: SinkState | null, view: OpenView): boolean {
    // rows of an ancestor may have changes that are not in this log: it was put back from a backup
    if (found?.log !== this.#ports.log.id || found.version !== view.version) return false;
    return found.position <= view.position;
  }

  /** The rows as they are now, and what changes meanwhile. Null: another version is served, or the process stops. */
  async #load(target: SinkTarget, view: OpenView, signal: AbortSignal): Promise<SinkState | null> {
    const { views, log } = this.#ports;
    const served = () => !signal.aborted && views.open(view.name).version === view.version;
    this.#state = 'loading';
    this.#loaded = 0;
    const from = view.position;
    const following = new ViewFollowing(views, view, from);
    this.#following = following;
    try {
      const load = await target.load(view);
      let after: Uint8Array | undefined;
      let position = from;
      do {
        if (!served()) return null;
        const page = pageOf(view, after);
        position = view.position;
        await load.rows(page);
        this.#loaded += page.length;
        await otherTurn();
        after = page.length === PAGE ? page.at(-1)?.key : undefined;
      } while (after !== undefined);
      // the pages stand at different positions; with the changes since the first one, all are at the last one's
      let caught = from;
      while (caught < position) {
        const batch = await following.take(0);
        if (batch === null) return null;
        if (batch.changes.length > 0) await load.changes(batch.changes);
        caught = batch.position;
      }
      if (!served()) return null;
      const state = { log: log.id, version: view.version, position: caught };
      await load.commit(state);
      this.#loads++;
      return state;
    } finally {
      following.close();
      this.#following = null;
      this.#loaded = null;
    }
  }

  #moved(): void {
    for (const look of [...this.#progress]) look();
  }
}

/** Requests are answered between two pages. */
function otherTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

/** Read within one turn of the event loop. */
function pageOf(view: OpenView, after: Uint8Array | undefined): ServedRow[] {
  const page: ServedRow[] = [];
  for (const row of view.scan(after === undefined ? {} : { after })) {
    page.push(row);
    if (page.length === PAGE) break;
  }
  return page;
}

function factsOf(error: unknown): {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
} {
  if (error instanceof MillraceError) {
    return { code: error.code, message: error.message, hint: error.hint ?? null };
  }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error), hint: null };
}
