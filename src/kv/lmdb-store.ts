import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import { assert } from '../core/assert.ts';
import { MillraceError } from '../core/errors.ts';
import { faultPoint } from '../core/fault-points.ts';
import { assertDiskRoom, diskFull, freeBytes, hearReason, isDiskFull, RESERVE } from './disk-room.ts';
import type {
  KeyRange,
  KeyValueChange,
  KeyValueEntry,
  KeyValueReader,
  KeyValueStore,
  KeyValueWriter,
} from './key-value-store.ts';
import { lmdbFileDamage } from './lmdb-file-check.ts';
import { bucketEntries, bucketKey, changedBucket, isBucket, isLong } from './long-keys.ts';
import { compareBytes } from './sorted-map.ts';

export interface LmdbStoreOptions {
  /** a folder, created when missing */
  readonly path: string;
  /** refuses writes (a bug of the caller); another thread may go on writing */
  readonly readOnly?: boolean | undefined;
  /** address space for the file, bytes; 16 GiB when not given. It is not memory and not disk. */
  readonly mapSize?: number | undefined;
  /** bytes that the disk has left, asked before each commit; the file system is asked when not given */
  readonly freeBytes?: (() => number) | undefined;
}

type Database = RootDatabase<Uint8Array, Uint8Array>;

/**
 * Opens a store in a folder. Several threads of one process may open the same one; writers wait for each other.
 * A read sees every commit that any thread made before the present turn of the event loop began.
 * `write` commits to the disk before it returns, or throws and nothing is changed: `disk_full` while there is no room.
 * Throws `state_damaged` when the files cannot be read.
 */
export function openLmdbStore(options: LmdbStoreOptions): KeyValueStore {
  mkdirSync(options.path, { recursive: true });
  const free = options.freeBytes ?? (() => freeBytes(options.path));
  // not where another thread may be writing: who opens for writing comes first
  const damage = options.readOnly ? null : lmdbFileDamage(join(options.path, 'data.mdb'));
  if (damage !== null) throw damaged(options.path, damage);
  // on a full disk the lock file would have no room: the process is ended when LMDB touches it
  if (!existsSync(join(options.path, 'lock.mdb'))) assertDiskRoom(free(), 0, RESERVE.state);
  try {
    // never LMDB's own read-only mode: threads share one environment, and the first to open it decides its mode
    const db = open<Uint8Array, Uint8Array>({
      path: options.path,
      noSubdir: false,
      keyEncoding: 'binary',
      encoding: 'binary',
      cache: false,
      compression: false,
      // a batch around another would have a promise that fails unheard when the disk does, and ends the process
      eventTurnBatching: false,
      ...(process.platform === 'win32' ? {} : { mapSize: options.mapSize ?? 16 * 2 ** 30 }),
    });
    return new LmdbStore(db, options.readOnly ?? false, free);
  } catch (cause) {
    throw damaged(options.path, 'it cannot be opened', cause);
  }
}

function damaged(path: string, what: string, cause?: unknown): MillraceError {
  return new MillraceError('state_damaged', `the store in "${path}" is damaged: ${what}`, {
    hint: 'it is made anew from the log; the disk may be failing',
    data: { file: path },
    cause,
  });
}

class LmdbStore implements KeyValueStore {
  readonly #db: Database;
  readonly #reader: DatabaseReader;
  readonly #readOnly: boolean;
  readonly #free: () => number;
  #fresh = false;

  constructor(db: Database, readOnly: boolean, free: () => number) {
    this.#db = db;
    this.#reader = new DatabaseReader(db);
    this.#readOnly = readOnly;
    this.#free = free;
  }

  get(key: Uint8Array): Uint8Array | null {
    this.#refresh();
    return this.#reader.get(key);
  }

  range(range: KeyRange): Iterable<KeyValueEntry> {
    this.#refresh();
    return this.#reader.range(range);
  }

  write<T>(work: (tx: KeyValueWriter) => T): T {
    assert(!this.#readOnly, 'the store was opened for reading');
    let done: T;
    try {
      faultPoint('store.write');
      done = this.#db.transactionSync(() => {
        const writer = new DatabaseWriter(this.#db);
        const made = work(writer);
        // LMDB writes whole pages, and those above them anew; a throw gives the transaction up
        assertDiskRoom(this.#free(), 2 * writer.bytes, RESERVE.state);
        return made;
      });
    } catch (error) {
      if (error instanceof MillraceError || !isDiskFull(error, this.#free, RESERVE.state)) throw error;
      throw diskFull(this.#free(), RESERVE.state, error);
    }
    faultPoint('store.written');
    return done;
  }

  async writeLater(entries: readonly KeyValueChange[]): Promise<void> {
    assert(!this.#readOnly, 'the store was opened for reading');
    // entries of long keys share buckets, which must be read first
    if (entries.some(e => isLong(e.key))) {
      this.write(tx => {
        for (const { key, value } of entries) {
          if (value === null) tx.delete(key);
          else tx.put(key, value);
        }
      });
      return;
    }
    let bytes = 0;
    for (const { key, value } of entries) bytes += key.length + (value?.length ?? 0);
    try {
      faultPoint('store.write');
      assertDiskRoom(this.#free(), 2 * bytes, RESERVE.state);
      await this.#db.batch(() => {
        for (const { key, value } of entries) {
          if (value === null) void this.#db.remove(key);
          else void this.#db.put(key, value);
        }
      });
      await this.#db.flushed;
    } catch (error) {
      hearReason(error);
      if (error instanceof MillraceError || !isDiskFull(error, this.#free, RESERVE.state)) throw error;
      throw diskFull(this.#free(), RESERVE.state, error);
    }
    faultPoint('store.written');
  }

  async flush(): Promise<void> {
    await this.#db.flushed;
  }

  async close(): Promise<void> {
    await this.#db.close();
  }

  /** LMDB's bindings keep a snapshot for up to a timer's turn: a message from the writing thread may arrive before it ends. */
  #refresh(): void {
    if (this.#fresh) return;
    this.#fresh = true;
    this.#db.resetReadTxn();
    queueMicrotask(() => {
      this.#fresh = false;
    });
  }
}

class DatabaseReader implements KeyValueReader {
  protected readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  get(key: Uint8Array): Uint8Array | null {
    if (!isLong(key)) return plain(this.db.get(key));
    const bucket = plain(this.db.get(bucketKey(key)));
    if (bucket === null) return null;
    return bucketEntries(key, bucket).find(e => compareBytes(e.key, key) === 0)?.value ?? null;
  }

  *range(range: KeyRange): Generator<KeyValueEntry> {
    const { start, end, reverse = false } = range;
    let left = range.limit ?? Number.POSITIVE_INFINITY;
    if (
      left <= 0 ||
      end?.length === 0 ||
      (start !== undefined && end !== undefined && compareBytes(start, end) >= 0)
    )
      return;
    for (const { key, value } of this.#stored(start, end, reverse)) {
      const entries = isBucket(key) ? bucketEntries(key, value) : [{ key, value }];
      for (const entry of reverse ? entries.reverse() : entries) {
        if (start !== undefined && compareBytes(entry.key, start) < 0) continue;
        if (end !== undefined && compareBytes(entry.key, end) >= 0) continue;
        yield entry;
        if (--left <= 0) return;
      }
    }
  }

  /** What LMDB holds between the bounds, and a bucket that one of them falls into. */
  *#stored(
    start: Uint8Array | undefined,
    end: Uint8Array | undefined,
    reverse: boolean,
  ): Generator<KeyValueEntry> {
    // LMDB has no empty key
    const low =
      start === undefined || start.length === 0 ? undefined : isLong(start) ? bucketKey(start) : start;
    const high = end === undefined ? undefined : isLong(end) ? bucketKey(end) : end;
    // LMDB's bindings begin a reversed range at its upper bound, inclusive: the caller drops what lies beyond
    const bounds = reverse
      ? { ...(high && { start: high }), ...(low && { end: low }), reverse }
      : { ...(low && { start: low }), ...(high && { end: high }) };
    if (!reverse) {
      for (const entry of this.db.getRange(bounds)) yield plainEntry(entry);
      const last = high !== undefined && isBucket(high) ? plain(this.db.get(high)) : null;
      if (high !== undefined && last !== null) yield { key: high, value: last };
      return;
    }
    for (const entry of this.db.getRange(bounds)) yield plainEntry(entry);
    const first = low === undefined ? null : plain(this.db.get(low));
    if (low !== undefined && first !== null) yield { key: low, value: first };
  }
}

class DatabaseWriter extends DatabaseReader implements KeyValueWriter {
  /** of keys and values put so far */
  bytes = 0;

  put(key: Uint8Array, value: Uint8Array): void {
    this.bytes += key.length + value.length;
    if (isLong(key)) this.#changeBucket(key, value);
    else this.db.putSync(key, value);
  }

  delete(key: Uint8Array): void {
    if (isLong(key)) this.#changeBucket(key, null);
    else this.db.removeSync(key);
  }

  /** Reads ahead: LMDB's cursors do not follow writes of their own transaction reliably. */
  override *range(range: KeyRange): Generator<KeyValueEntry> {
    yield* [...super.range(range)];
  }

  #changeBucket(key: Uint8Array, value: Uint8Array | null): void {
    const under = bucketKey(key);
    const bucket = changedBucket(plain(this.db.get(under)), key, value);
    if (bucket === null) this.db.removeSync(under);
    else this.db.putSync(under, bucket);
  }
}

function plainEntry(entry: { key: Uint8Array; value: Uint8Array }): KeyValueEntry {
  return { key: plain(entry.key), value: plain(entry.value) };
}

/** Plain arrays, not Buffers: `slice` must copy. */
function plain(bytes: Uint8Array): Uint8Array;
function plain(bytes: Uint8Array | undefined): Uint8Array | null;
function plain(bytes: Uint8Array | undefined): Uint8Array | null {
  return bytes === undefined ? null : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
