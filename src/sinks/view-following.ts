import { MillraceError } from '../core/errors.ts';
import type { MissedChanges, MissedEpoch } from '../deploy/missed-changes.ts';
import type { OpenView, Subscription, ViewAccess, ViewChange } from '../deploy/view-access.ts';

/** What sinks ask of the views. */
export interface SinkViews extends Pick<ViewAccess, 'open' | 'subscribe' | 'position' | 'waitFor'> {
  /** computes what a feed no longer keeps; null: the log no longer has all that this view reads */
  missed(view: string): MissedChanges | null;
}

/** The rows of the view go from where the last batch left them to `position` by these changes, one per row. */
export interface ChangeBatch {
  readonly changes: readonly ViewChange[];
  readonly position: number;
}

/** changes that wait; more are left in the feed, or computed again */
const MAX_WAITING = 100_000;
/** changes of one batch that are computed again */
const MISSED_BATCH = 20_000;

/**
 * The changes of one version of a view from a position on, merged by row while they wait. What its feed no longer keeps is
 * computed again from the log.
 */
export class ViewFollowing {
  readonly #views: SinkViews;
  readonly #view: OpenView;
  #waiting = new Map<string, ViewChange>();
  /** changes before it were taken or wait */
  #position: number;
  #subscription: Subscription | null = null;
  #missed: AsyncIterator<MissedEpoch> | null = null;
  #missedTo = 0;
  #replaced = false;
  #closed = new AbortController();
  #finishing = false;
  /** changes were taken and have not arrived yet */
  #underWay = false;
  #wake: (() => void) | null = null;

  constructor(views: SinkViews, view: OpenView, from: number) {
    this.#views = views;
    this.#view = view;
    this.#position = from;
    this.#subscribe();
  }

  /** Where the rows stand when no change waits, or was taken and is on its way; null: one does, or may. */
  get idleAt(): number | null {
    const idle = this.#subscription !== null && this.#waiting.size === 0 && !this.#underWay;
    return idle ? this.#view.position : null;
  }

  /**
   * All that waits; when nothing does, it waits for a change, or until `idle` (ms) is over. Null: the version is not
   * served any more, or the following is closed.
   */
  async take(idle = Number.POSITIVE_INFINITY): Promise<ChangeBatch | null> {
    for (;;) {
      if (this.#replaced || this.#closed.signal.aborted) return null;
      if (this.#waiting.size === 0 && this.#subscription === null) await this.#catchUp();
      if (this.#waiting.size > 0) return this.#batch();
      if (this.#subscription === null) continue;
      if (this.#finishing) return this.#lastBatch();
      if (await this.#nothingCame(idle)) return this.#batch();
    }
  }

  /** What was taken has arrived. */
  arrived(): void {
    this.#underWay = false;
  }

  /** What waits now is given once more; then it is over. */
  finish(): void {
    if (this.#subscription === null) this.close();
    this.#finishing = true;
    this.#wake?.();
  }

  close(): void {
    this.#closed.abort();
    this.#subscription?.close();
    this.#subscription = null;
    this.#missed?.return?.().catch(() => {}); // it was aborted
    this.#wake?.();
  }

  #batch(): ChangeBatch {
    const changes = [...this.#waiting.values()];
    this.#waiting = new Map();
    this.#underWay = changes.length > 0;
    // the feed is told in the turn in which the rows move: nothing can be under way
    if (this.#subscription !== null) this.#position = this.#view.position;
    return { changes, position: this.#position };
  }

  #lastBatch(): ChangeBatch {
    const batch = this.#batch();
    this.close();
    return batch;
  }

  #add(changes: readonly ViewChange[], position: number): void {
    for (const change of changes) {
      // the id is text for people: NULL and '' look alike in it
      const { buffer, byteOffset, byteLength } = change.key;
      const row = Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
      this.#waiting.delete(row);
      this.#waiting.set(row, change);
    }
    this.#position = position;
  }

  /** False: the feed no longer keeps what comes from this position on. */
  #subscribe(): boolean {
    let slow = false;
    try {
      const subscription = this.#views.subscribe(this.#view.name, this.#position, {
        changes: (changes, position) => {
          if (slow || this.#closed.signal.aborted) return;
          this.#add(changes, position);
          this.#wake?.();
          if (this.#waiting.size <= MAX_WAITING) return;
          slow = true;
          this.#subscription?.close();
          this.#subscription = null;
        },
        reset: () => {
          this.#replaced = true;
          this.#wake?.();
        },
      });
      if (slow) subscription.close();
      else this.#subscription = subscription;
      return true;
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'position_expired') return false;
      throw error;
    }
  }

  async #catchUp(): Promise<void> {
    if (this.#missed === null) {
      if (this.#views.open(this.#view.name).version !== this.#view.version) {
        this.#replaced = true;
        return;
      }
      if (this.#subscribe()) return;
      const missed = this.#views.missed(this.#view.name);
      if (missed === null) {
        throw new MillraceError('position_expired', 'the log no longer has the records of what was missed');
      }
      this.#missedTo = this.#views.position();
      const range = { view: this.#view.name, from: this.#position, to: this.#missedTo };
      this.#missed = missed(range, this.#closed.signal)[Symbol.asyncIterator]();
    }
    while (this.#waiting.size < MISSED_BATCH) {
      const { done, value } = await this.#missed.next();
      if (this.#views.open(this.#view.name).version !== this.#view.version) this.#replaced = true;
      if (this.#replaced || this.#closed.signal.aborted) {
        await this.#missed.return?.();
        return;
      }
      if (done) {
        this.#missed = null;
        this.#position = this.#missedTo;
        return;
      }
      this.#add(value.changes, value.position);
    }
  }

  /** True when the time is over. */
  async #nothingCame(idle: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#wake = () => resolve(false);
    const timer = Number.isFinite(idle) ? setTimeout(() => resolve(true), idle) : undefined;
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#wake = null;
    }
  }
}
