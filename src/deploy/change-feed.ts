import { MillraceError } from '../core/errors.ts';
import { countRowChanges } from '../view-store/row-changes.ts';
import type { ChangeListener, Subscription, ViewChange } from './view-access.ts';

/** The changes of some epochs, one after the other. */
interface Shelf {
  readonly bytes: Uint8Array;
  /** where those of each epoch end */
  readonly ends: number[];
  readonly positions: number[];
}

const SHELF = 32 * 1024;
/** bytes of changes kept per view for subscribers that come back */
const KEPT_BYTES = 4 * 1024 * 1024;

/** Reads row changes whose sequence is at least `from`. */
export type ReadChanges = (bytes: Uint8Array, from: number) => readonly ViewChange[];

/**
 * The changes of one view as subscribers see them: each event brings the view from one readable position to a later one.
 * The latest changes are kept so that a subscriber can resume by position; they are read only when somebody listens.
 */
export class ChangeFeed {
  readonly #read: ReadChanges;
  readonly #listeners = new Set<ChangeListener>();
  #shelves: Shelf[] = [];
  #kept = 0;
  /** a subscriber at or after this position can resume */
  #since: number;
  #closed = false;
  #published = 0;

  constructor(position: number, read: ReadChanges) {
    this.#since = position;
    this.#read = read;
  }

  get subscribers(): number {
    return this.#listeners.size;
  }

  /** changes of rows so far, as they came: not merged by row */
  get published(): number {
    return this.#published;
  }

  /** Keeps no reference to `bytes`: those of other views lie around them. */
  publish(bytes: Uint8Array, position: number): void {
    this.#published += countRowChanges(bytes);
    this.#keep(bytes, position);
    while (this.#kept > KEPT_BYTES && this.#shelves.length > 1) {
      const dropped = this.#shelves.shift() as Shelf;
      this.#kept -= dropped.bytes.length;
      this.#since = dropped.positions.at(-1) as number;
    }
    if (this.#listeners.size === 0) return;
    const changes = this.#read(bytes, 0);
    for (const listener of [...this.#listeners]) this.#tell(listener, changes, position);
  }

  /** `from` null: what comes from now on. Throws `position_expired`. */
  subscribe(from: number | null, listener: ChangeListener): Subscription {
    if (from !== null) {
      if (from < this.#since) {
        throw new MillraceError('position_expired', 'the changes since this position are no longer kept', {
          hint: 'read the view again and subscribe from the position of that answer',
        });
      }
      for (const { bytes, ends, positions } of this.#shelves) {
        for (const [i, position] of positions.entries()) {
          if (position <= from) continue;
          const changes = this.#read(bytes.subarray(ends[i - 1] ?? 0, ends[i]), from);
          if (changes.length > 0) listener.changes(changes, position);
        }
      }
    }
    if (this.#closed) listener.reset();
    else this.#listeners.add(listener);
    return { close: () => this.#listeners.delete(listener) };
  }

  /** Ends the feed: another version serves from now on. */
  close(): void {
    this.#closed = true;
    for (const listener of [...this.#listeners]) {
      try {
        listener.reset();
      } catch {
        // a subscriber that fails is gone anyway
      }
    }
    this.#listeners.clear();
    this.#shelves = [];
    this.#kept = 0;
  }

  #keep(changes: Uint8Array, position: number): void {
    let shelf = this.#shelves.at(-1);
    if (shelf === undefined || (shelf.ends.at(-1) ?? 0) + changes.length > shelf.bytes.length) {
      shelf = { bytes: new Uint8Array(Math.max(SHELF, changes.length)), ends: [], positions: [] };
      this.#shelves.push(shelf);
      this.#kept += shelf.bytes.length;
    }
    const from = shelf.ends.at(-1) ?? 0;
    shelf.bytes.set(changes, from);
    shelf.ends.push(from + changes.length);
    shelf.positions.push(position);
  }

  /** A subscriber that throws is dropped: it must not hurt the others. */
  #tell(listener: ChangeListener, changes: readonly ViewChange[], position: number): void {
    try {
      listener.changes(changes, position);
    } catch {
      this.#listeners.delete(listener);
    }
  }
}
