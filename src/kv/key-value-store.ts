/**
 * An ordered key-value store. Keys are compared as unsigned bytes. Reads are synchronous and see the last committed
 * write; no iterator may be held across a turn of the event loop.
 */
export interface KeyValueReader {
  get(key: Uint8Array): Uint8Array | null;
  /** entries with start <= key < end, in key order (or from the end when `reverse`) */
  range(range: KeyRange): Iterable<KeyValueEntry>;
}

export interface KeyRange {
  readonly start?: Uint8Array | undefined;
  readonly end?: Uint8Array | undefined;
  readonly reverse?: boolean | undefined;
  readonly limit?: number | undefined;
}

export interface KeyValueEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface KeyValueChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export interface KeyValueWriter extends KeyValueReader {
  /** Key and value are copied: the caller may use their memory again. */
  put(key: Uint8Array, value: Uint8Array): void;
  delete(key: Uint8Array): void;
}

export interface KeyValueStore extends KeyValueReader {
  /** Runs `work` in one atomic transaction and commits it; reads inside see its writes. A throw undoes everything. */
  write<T>(work: (tx: KeyValueWriter) => T): T;
  /**
   * Writes all of these (null: deletes the key) or none; the waiting is done elsewhere. Resolves when they are on disk.
   * Reads see them from some moment before that on.
   */
  writeLater(entries: readonly KeyValueChange[]): Promise<void>;
  /** Resolves when every committed write is on disk (at once for stores in memory). */
  flush(): Promise<void>;
  close(): Promise<void>;
}
