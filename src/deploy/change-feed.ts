import { MillraceError } from '../core/errors.ts';
import type { ChangeListener, Subscription, ViewChange } from './view-access.ts';

interface Epoch {
  readonly position: number;
  readonly changes: readonly ViewChange[];
}

/** changes kept per view for subscribers that come back */
const KEPT_CHANGES = 20_000;

/**
 * The changes of one view as subscribers see them: each event brings the view from one readable position to a later one.
 * The latest changes are kept so that a subscriber can resume by position.
 */
export class ChangeFeed {
  readonly #listeners = new Set<ChangeListener>();
  #epochs: Epoch[] = [];
  #kept = 0;
  /** a subscriber at or after this position can resume */
  #since: number;
  #position: number;

  constructor(position: number) {
    this.#since = position;
    this.#position = position;
  }

  get subscribers(): number {
    return this.#listeners.size;
  }

  publish(changes: readonly ViewChange[], position: number): void {
    this.#position = position;
    this.#epochs.push({ position, changes });
    this.#kept += changes.length;
    while (this.#kept > KEPT_CHANGES && this.#epochs.length > 1) {
      const dropped = this.#epochs.shift() as Epoch;
      this.#kept -= dropped.changes.length;
      this.#since = dropped.position;
    }
    for (const listener of [...this.#listeners]) listener.changes(changes, position);
  }

  subscribe(from: number | null, listener: ChangeListener): Subscription {
    if (from !== null) {
      if (from < this.#since) {
        throw new MillraceError('position_expired', 'the changes since this position are no longer kept', {
          hint: 'read the view again and subscribe from the position of that answer',
        });
      }
      for (const epoch of this.#epochs) {
        if (epoch.position > from) listener.changes(epoch.changes, epoch.position);
      }
    }
    this.#listeners.add(listener);
    return { close: () => this.#listeners.delete(listener) };
  }

  /** Ends the feed: another version serves from now on. */
  reset(): void {
    for (const listener of [...this.#listeners]) listener.reset();
    this.#listeners.clear();
    this.#epochs = [];
    this.#kept = 0;
    this.#since = this.#position;
  }
}
