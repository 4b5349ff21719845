import type {
  KeyRange,
  KeyValueChange,
  KeyValueEntry,
  KeyValueStore,
  KeyValueWriter,
} from './key-value-store.ts';
import { SortedMap } from './sorted-map.ts';

/** A store that lives as long as the process: for tests and for what may be lost. */
export function createMemoryStore(): KeyValueStore {
  return new MemoryStore();
}

class MemoryStore implements KeyValueStore {
  readonly #map = new SortedMap<Uint8Array>();

  get(key: Uint8Array): Uint8Array | null {
    return this.#map.get(key) ?? null;
  }

  range(range: KeyRange): Iterable<KeyValueEntry> {
    return limited(this.#map.range(range), range.limit);
  }

  write<T>(work: (tx: KeyValueWriter) => T): T {
    const undo: { readonly key: Uint8Array; readonly before: Uint8Array | undefined }[] = [];
    const change = (key: Uint8Array, value: Uint8Array | undefined): void => {
      undo.push({ key, before: this.#map.get(key) });
      this.#set(key, value);
    };
    try {
      return work({
        get: key => this.get(key),
        // a copy: the map must not change under an iterator, and this one may be written to while it is read
        range: range => [...this.range(range)],
        put: (key, value) => change(new Uint8Array(key), new Uint8Array(value)),
        delete: key => change(new Uint8Array(key), undefined),
      });
    } catch (error) {
      for (const { key, before } of undo.reverse()) this.#set(key, before);
      throw error;
    }
  }

  async writeLater(entries: readonly KeyValueChange[]): Promise<void> {
    for (const { key, value } of entries) {
      this.#set(new Uint8Array(key), value === null ? undefined : new Uint8Array(value));
    }
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  #set(key: Uint8Array, value: Uint8Array | undefined): void {
    if (value === undefined) this.#map.delete(key);
    else this.#map.set(key, value);
  }
}

function* limited(
  entries: Iterable<KeyValueEntry>,
  limit = Number.POSITIVE_INFINITY,
): Generator<KeyValueEntry> {
  let left = limit;
  if (left <= 0) return;
  for (const entry of entries) {
    yield entry;
    if (--left <= 0) return;
  }
}
