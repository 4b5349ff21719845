import type { KeyRange, KeyValueReader } from '../kv/key-value-store.ts';
import { compareBytes, SortedMap } from '../kv/sorted-map.ts';
import { readRowChanges } from './row-changes.ts';

interface OverlayEntry {
  /** null hides the folded row of this key */
  readonly value: Uint8Array | null;
  /** position of the epoch that brought it */
  readonly position: number;
}

/** bytes of changes that may wait for a reader: the first one has to sort them */
const UNSORTED_BYTES = 1024 * 1024;

export interface StoredEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * The rows of one view version as readers see them: folded rows of the view file under an ordered overlay of newer
 * changes. `position` moves only with {@link apply}, for all its rows at once; folding moves rows from the overlay into
 * the file without any reader noticing.
 */
export class ServedRows {
  readonly #base: KeyValueReader;
  readonly #overlay = new SortedMap<OverlayEntry>();
  /** changes that nobody has asked for so far, in order */
  #unsorted: { readonly changes: Uint8Array; readonly position: number }[] = [];
  #unsortedBytes = 0;
  #position: number;
  #edition = 0;

  constructor(base: KeyValueReader, position: number) {
    this.#base = base;
    this.#position = position;
  }

  /** every record with a smaller sequence is in the rows */
  get position(): number {
    return this.#position;
  }

  /** another number once one of the rows has changed */
  get edition(): number {
    return this.#edition;
  }

  get overlaySize(): number {
    this.#sort();
    return this.#overlay.size;
  }

  /** Takes the changes of one epoch; `changes` null: the view did not change, only its position moves. */
  apply(changes: Uint8Array | null, position: number): void {
    this.#position = position;
    if (changes === null) return;
    this.#edition++;
    this.#unsorted.push({ changes, position });
    this.#unsortedBytes += changes.length;
    if (this.#unsortedBytes > UNSORTED_BYTES) this.#sort();
  }

  /** The view file now holds all changes up to `position`: forget them here. */
  folded(position: number): void {
    const newer = this.#unsorted.findIndex(u => u.position > position);
    for (const { changes } of this.#unsorted.splice(0, newer < 0 ? this.#unsorted.length : newer)) {
      this.#unsortedBytes -= changes.length;
    }
    this.#overlay.deleteWhere(entry => entry.position <= position);
  }

  get(key: Uint8Array): Uint8Array | null {
    this.#sort();
    const newer = this.#overlay.get(key);
    return newer === undefined ? this.#base.get(key) : newer.value;
  }

  /** Rows in key order (or reversed); the iterator must be finished within one turn of the event loop. */
  *scan(range: KeyRange): Generator<StoredEntry> {
    this.#sort();
    const { limit = Number.POSITIVE_INFINITY, ...bounds } = range;
    let left = limit;
    const sign = range.reverse ? -1 : 1;
    const newer = this.#overlay.range(bounds)[Symbol.iterator]();
    const older = this.#base.range(bounds)[Symbol.iterator]();
    try {
      let n = newer.next();
      let o = older.next();
      while (left > 0 && !(n.done && o.done)) {
        const order = n.done ? 1 : o.done ? -1 : sign * compareBytes(n.value.key, o.value.key);
        if (order <= 0 && !n.done) {
          const { key, value } = n.value;
          if (value.value !== null) {
            left--;
            yield { key, value: value.value };
          }
          n = newer.next();
          if (order === 0) o = older.next();
        } else if (!o.done) {
          left--;
          yield o.value;
          o = older.next();
        }
      }
    } finally {
      older.return?.();
    }
  }

  #sort(): void {
    for (const { changes, position } of this.#unsorted) {
      for (const { key, value } of readRowChanges(changes)) {
        this.#overlay.set(key.slice(), { value, position });
      }
    }
    this.#unsorted.length = 0;
    this.#unsortedBytes = 0;
  }
}
