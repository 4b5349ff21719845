import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../core/assert.ts';
import type { Clock } from '../../core/clock.ts';
import { MillraceError } from '../../core/errors.ts';
import { faultPoint } from '../../core/fault-points.ts';
import type { LogAncestor, LogIdentity } from '../../core/log-identity.ts';
import type { LogRecord, RecordBlock } from '../../core/log-record.ts';
import { assertDiskRoom, freeBytes } from '../../kv/disk-room.ts';
import type {
  ActDone,
  Append,
  Appended,
  CompactOrder,
  EventLog,
  LogAct,
  TopicInfo,
  TopicSpec,
  TrimOrder,
  UpkeepUnderWay,
} from '../event-log.ts';
import { requireKeyIndex } from '../key-index.ts';
import type { Accepted, TopicState } from '../log-head.ts';
import { appendedOf, LogHead, topicInfo } from '../log-head.ts';
import { randomLogId } from '../log-id.ts';
import type { LogLimits } from '../log-limits.ts';
import { DEFAULT_LOG_LIMITS } from '../log-limits.ts';
import type { BackupOptions } from './backup.ts';
import { backUpLog } from './backup.ts';
import type { BackupManifest } from './backup-manifest.ts';
import { BlockStore } from './block-store.ts';
import { CommitGroup } from './commit-group.ts';
import { INDEX_FILE } from './damage.ts';
import { refuseCutIndex, writeFailed } from './disk-failures.ts';
import type { FolderLock } from './folder-lock.ts';
import { lockFolder } from './folder-lock.ts';
import type { LogDatabase } from './log-environment.ts';
import {
  identityValue,
  openLogDatabase,
  storedHead,
  storedIdentity,
  storedTopics,
} from './log-environment.ts';
import { afterPrefix, ID_KEY, POSITIONS, readNumbers } from './log-keys.ts';
import { Sealer } from './sealer.ts';
import { recoverSegments } from './segment-files.ts';
import { SegmentWriter } from './segment-writer.ts';
import { Upkeep } from './upkeep.ts';
import { blocksOfTopic } from './upkeep-plan.ts';

export interface EmbeddedLogOptions {
  /** the log's folder, created when missing */
  readonly dir: string;
  readonly clock: Clock;
  /** seal by itself, in whole blocks, when the tail holds this many records; without it only `seal()` does */
  readonly sealAfter?: number | undefined;
  readonly limits?: Partial<LogLimits> | undefined;
  /** hears of a sealing pass of its own that failed; the records stay in the tail and the next pass tries again */
  readonly onSealFailure?: ((error: unknown) => void) | undefined;
  /** bytes that the disk has left, asked before each commit; the file system is asked when not given */
  readonly freeBytes?: (() => number) | undefined;
}

/** appends in a group from which on the next one begins GATHER ms after it at the earliest */
const MANY_TOGETHER = 8;
const GATHER = 3;

/**
 * Opens the log of a folder for writing. Throws `data_folder_locked` when another process has it, `data_corrupt` when
 * registered data is gone; what was mended stands in `recovery`.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<StoredLog> {
  const lock = lockFolder(options.dir, options.clock.now());
  let db: LogDatabase | null = null;
  try {
    const recovery: string[] = [];
    if (lock.takenOver !== null) recovery.push(lock.takenOver);
    refuseCutIndex(options.dir);
    // on a full disk LMDB's lock file would have no room: the process is ended when it is touched
    if (!existsSync(join(options.dir, INDEX_FILE)))
      assertDiskRoom((options.freeBytes ?? (() => freeBytes(options.dir)))(), 0);
    db = openLogDatabase(options.dir);
    let identity = storedIdentity(db);
    if (identity === null) {
      identity = { id: randomLogId(), ancestors: [] };
      faultPoint('log.create');
      await db.put(ID_KEY, identityValue(identity));
    }
    recovery.push(...recoverSegments(db, options.dir));
    return new EmbeddedLog(options, { identity, lock, db, recovery });
  } catch (error) {
    await db?.close();
    lock.release();
    throw error;
  }
}

/** A log that lies in a folder. */
export interface StoredLog extends EventLog {
  /** Copies the log as it stands at one position; appends go on meanwhile. */
  backUp(options: BackupOptions): Promise<BackupManifest>;
}

interface Opened {
  readonly identity: LogIdentity;
  readonly lock: FolderLock;
  readonly db: LogDatabase;
  readonly recovery: readonly string[];
}

class EmbeddedLog implements StoredLog {
  readonly id: string;
  readonly ancestors: readonly LogAncestor[];
  readonly recovery: readonly string[];
  readonly #options: EmbeddedLogOptions;
  readonly #lock: FolderLock;
  readonly #db: LogDatabase;
  readonly #head: LogHead;
  readonly #store: BlockStore;
  readonly #freeBytes: () => number;
  readonly #writer: SegmentWriter;
  readonly #sealer: Sealer;
  readonly #upkeep: Upkeep;
  readonly #positions = new Map<string, number>();
  readonly #listeners = new Set<(end: number) => void>();
  readonly #closing = new Set<() => void>();
  /** topics by id, accepted ones too */
  #names: string[] = [];
  /** sequence after the last durable record */
  #end = 0;
  /** takes appends, waits for its turn */
  #open: CommitGroup | null = null;
  /** on its way to the disk */
  #committing: CommitGroup | null = null;
  /** appends of the last group, and when its commit began */
  #together = 0;
  #begun = 0;
  #closed = false;

  constructor(options: EmbeddedLogOptions, opened: Opened) {
    this.#options = options;
    this.id = opened.identity.id;
    this.ancestors = opened.identity.ancestors;
    this.recovery = opened.recovery;
    this.#lock = opened.lock;
    this.#db = opened.db;
    this.#head = new LogHead(options.clock, { ...DEFAULT_LOG_LIMITS, ...options.limits });
    this.#store = new BlockStore(opened.db, options.dir);
    this.#freeBytes = options.freeBytes ?? (() => freeBytes(options.dir));
    this.#writer = new SegmentWriter({ db: opened.db, dir: options.dir, freeBytes: this.#freeBytes });
    this.#sealer = new Sealer(opened.db, this.#writer);
    this.#load();
    this.#upkeep = new Upkeep({
      ...opened,
      dir: options.dir,
      clock: options.clock,
      store: this.#store,
      sealer: this.#sealer,
      writer: this.#writer,
      topics: () => this.#head.states(),
      end: () => this.#end,
      freeBytes: this.#freeBytes,
    });
    this.#upkeep.resume().catch(error => options.onSealFailure?.(error));
  }

  createTopic(spec: TopicSpec): TopicInfo {
    this.#assertOpen();
    const { topic, created } = this.#head.createTopic(spec);
    if (created) {
      faultPoint('log.topic');
      this.#names.push(spec.name);
      this.#group().addTopic(topic);
    }
    return topicInfo(topic);
  }

  replicateTopic(name: string, partitions: number): TopicInfo {
    this.#assertOpen();
    const { topic, created, changed } = this.#head.replicateTopic(name, partitions);
    if (created) this.#names.push(name);
    if (changed) this.#group().addTopic(topic);
    return topicInfo(topic);
  }

  append(append: Append): Appended {
    this.#assertOpen();
    const { positions = [] } = append;
    for (const { handler, seq } of positions) checkPosition(handler, seq);
    if (positions.length === 0) this.#assertRoom();
    const accepted = this.#head.accept(append);
    const group = this.#group(accepted);
    group.add(accepted, append.records);
    for (const { handler, seq } of positions) {
      group.setPosition(handler, seq);
      this.#positions.set(handler, seq);
    }
    return appendedOf(accepted, group.durable);
  }

  tick(appendTime: number): Appended {
    this.#assertOpen();
    const accepted = this.#head.acceptTick(appendTime);
    const group = this.#group(accepted);
    group.add(accepted, null);
    return appendedOf(accepted, group.durable);
  }

  start(): number {
    return this.#store.start;
  }

  end(): number {
    return this.#end;
  }

  read(from: number, to = this.#end, maxRecords?: number): Iterable<RecordBlock> {
    return this.#store.read(from, Math.min(to, this.#end), maxRecords);
  }

  scan(from: number, to = this.#end, maxRecords?: number): Iterable<RecordBlock> {
    return this.#store.read(from, Math.min(to, this.#end), maxRecords, true);
  }

  topics(): readonly TopicInfo[] {
    return this.#head.states().map(topic => topicInfo(topic, this.#store.floors.get(topic.id)));
  }

  topic(name: string): TopicInfo | null {
    const topic = this.#head.topic(name);
    return topic === null ? null : topicInfo(topic, this.#store.floors.get(topic.id));
  }

  lastByKey(topic: string, key: Uint8Array): LogRecord | null {
    const state = this.#indexed(topic);
    for (const group of [this.#open, this.#committing]) {
      const seq = group?.sequencesOf(state, key).at(-1);
      if (group != null && seq !== undefined) return group.record(seq, this.#names);
    }
    const seq = this.#store.lastSequenceOfKey(state.id, key, this.#end);
    return seq === null ? null : this.#store.record(seq);
  }

  byKey(topic: string, key: Uint8Array, fromSeq = 0, limit = Number.POSITIVE_INFINITY): LogRecord[] {
    const state = this.#indexed(topic);
    const records: LogRecord[] = [];
    for (const seq of this.#store.sequencesOfKey(state.id, key, Math.max(0, fromSeq), this.#end)) {
      if (records.length >= limit) break;
      const record = this.#store.record(seq);
      if (record !== null) records.push(record);
    }
    for (const group of [this.#committing, this.#open]) {
      for (const seq of group?.sequencesOf(state, key) ?? []) {
        const record = seq >= fromSeq && records.length < limit ? group?.record(seq, this.#names) : null;
        if (record) records.push(record);
      }
    }
    return records;
  }

  readTopic(topic: string, options: { partition?: number; fromOffset?: number; limit: number }): LogRecord[] {
    const { partition, fromOffset = 0, limit } = options;
    const { id } = this.#head.knownTopic(topic);
    return partition === undefined
      ? this.#store.topicRecords(id, fromOffset, limit)
      : this.#store.partition(id, partition, fromOffset, limit);
  }

  lastRecords(topic: string, limit: number): LogRecord[] {
    return this.#store.lastRecords(this.#head.knownTopic(topic).id, limit);
  }

  record(seq: number): LogRecord | null {
    return Number.isInteger(seq) && seq >= 0 && seq < this.#end ? this.#store.record(seq) : null;
  }

  seqAtTime(ms: number): number {
    return this.#store.seqAtTime(ms, this.start(), this.#end);
  }

  position(handler: string): number | null {
    return this.#positions.get(handler) ?? null;
  }

  lastAppendTime(): number {
    return this.#head.lastAppendTime;
  }

  beforeCommit(listener: () => void): () => void {
    this.#closing.add(listener);
    return () => this.#closing.delete(listener);
  }

  onFlushed(listener: (end: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async seal(): Promise<void> {
    this.#assertOpen();
    await this.#written(() => this.#sealer.seal(this.#end, false));
    this.#store.refresh();
  }

  async trim(order: TrimOrder): Promise<ActDone> {
    this.#assertOpen();
    return this.#written(() => this.#upkeep.trim(order, this.#head.knownTopic(order.topic)));
  }

  async compact(order: CompactOrder): Promise<ActDone> {
    this.#assertOpen();
    return this.#written(() => this.#upkeep.compact(order, this.#head.knownTopic(order.topic)));
  }

  async backUp(options: BackupOptions): Promise<BackupManifest> {
    this.#assertOpen();
    const { dir, clock } = this.#options;
    const closing = () => this.#upkeep.closing;
    return this.#upkeep.atRest(() =>
      backUpLog({ db: this.#db, dir, clock, growing: this.#writer.segment, closing }, options),
    );
  }

  acts(): readonly LogAct[] {
    return this.#upkeep.acts;
  }

  upkeep(): UpkeepUnderWay | null {
    return this.#upkeep.underWay;
  }

  async seqAtSize(topic: string, bytes: number): Promise<number> {
    const { id, spec } = this.#head.knownTopic(topic);
    const blocks = await blocksOfTopic(this.#db, id, spec.partitions, this.#end);
    let left = bytes;
    let seq = 0;
    for (const [firstSeq, size] of [...blocks].sort((a, b) => b[0] - a[0])) {
      left -= size;
      if (left < 0) return seq;
      seq = firstSeq;
    }
    return 0;
  }

  offsetsAt(topic: string, seq: number): readonly number[] {
    const { id, ends } = this.#head.knownTopic(topic);
    return ends.map((_, p) => this.#store.offsetAt(id, p, seq));
  }

  seqAtOffset(topic: string, partition: number, offset: number): number {
    const [record] = this.#store.partition(this.#head.knownTopic(topic).id, partition, offset, 1);
    return record?.seq ?? this.#end;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await (this.#open ?? this.#committing)?.durable.catch(() => {});
    await this.#upkeep.close();
    await this.#sealer.close();
    await this.#writer.close();
    this.#listeners.clear();
    this.#closing.clear();
    this.#store.close();
    await this.#db.close();
    this.#lock.release();
  }

  async #written<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof MillraceError ? error : writeFailed(error, this.#freeBytes);
    }
  }

  /** Takes the durable state as the present one: at opening, and when a commit failed. */
  #load(): void {
    this.#store.refresh();
    const { end, lastAppendTime } = storedHead(this.#db);
    const topics: TopicState[] = storedTopics(this.#db).map(({ ends, records, ...spec }, id) => ({
      id,
      spec: Object.freeze(spec),
      ends,
      records,
    }));
    this.#end = end;
    this.#head.restore(end, lastAppendTime, topics);
    this.#names = topics.map(t => t.spec.name);
    this.#positions.clear();
    for (const { key, value } of this.#db.getRange({ start: POSITIONS, end: afterPrefix(POSITIONS) })) {
      this.#positions.set(Buffer.from(key.subarray(1)).toString(), readNumbers(value)[0]!);
    }
    if (topics.length > 0) return;
    this.#names = [this.#head.ticks.spec.name];
    this.#group().addTopic(this.#head.ticks);
  }

  #indexed(topic: string): TopicState {
    const state = this.#head.knownTopic(topic);
    requireKeyIndex(state);
    return state;
  }

  #group(accepted?: Accepted): CommitGroup {
    if (this.#open === null) {
      this.#open = new CommitGroup(accepted?.firstSeq ?? this.#head.nextSeq);
      if (this.#committing === null) this.#schedule();
    }
    return this.#open;
  }

  /**
   * The turn's other appends join the group before it is written. Where many waited for the last one, many more are on
   * their way: on a fast disk a moment longer makes fewer and larger groups of them, which is less work for all threads.
   */
  #schedule(): void {
    const wait = this.#together < MANY_TOGETHER ? 0 : this.#begun + GATHER - performance.now();
    if (wait < 1) setImmediate(() => void this.#commit());
    else setTimeout(() => void this.#commit(), wait);
  }

  async #commit(): Promise<void> {
    for (const listener of this.#closing) listener();
    const group = this.#open;
    if (group === null) return;
    this.#open = null;
    this.#committing = group;
    this.#together = group.appends;
    this.#begun = performance.now();
    try {
      assertDiskRoom(this.#freeBytes(), group.bytes);
      await group.write(this.#db, { lastAppendTime: this.#head.lastAppendTime, topics: this.#names.length });
      faultPoint('log.committed');
    } catch (cause) {
      this.#fail(group, cause);
      return;
    }
    this.#committing = null;
    this.#end = group.end;
    this.#store.refresh();
    // appends that came meanwhile are the next group; it starts before anybody is told
    if (this.#open !== null) this.#schedule();
    group.resolve();
    for (const listener of this.#listeners) listener(this.#end);
    this.#sealWhenDue();
  }

  /** Nothing after a failed commit may become durable: sequences have no gaps. */
  #fail(group: CommitGroup, cause: unknown): void {
    const error = writeFailed(cause, this.#freeBytes);
    const waiting = this.#open;
    this.#open = null;
    this.#committing = null;
    try {
      this.#load();
    } catch {
      this.#closed = true; // what is durable cannot even be read: nothing more is taken
    }
    group.reject(error);
    waiting?.reject(error);
  }

  #sealWhenDue(): void {
    const { sealAfter, onSealFailure } = this.#options;
    if (sealAfter === undefined || this.#closed || !this.#sealer.due(this.#end, sealAfter)) return;
    this.#sealer.seal(this.#end, true).then(
      () => this.#store.refresh(),
      error => onSealFailure?.(error),
    );
  }

  #assertRoom(): void {
    if ((this.#open?.bytes ?? 0) < this.#head.limits.waitingBytes) return;
    throw new MillraceError('overloaded', 'more is sent than the disk can take', {
      hint: 'send again in a moment, and wait for answers before sending more',
    });
  }

  #assertOpen(): void {
    if (this.#closed) throw new MillraceError('log_write_failed', 'the log is closed');
  }
}

function checkPosition(handler: string, seq: number): void {
  assert(Number.isSafeInteger(seq) && seq >= 0, `the position of "${handler}" is no sequence: ${seq}`);
  assert(
    handler.length > 0 && handler.length <= 200,
    `a handler's name has 1 to 200 characters: "${handler}"`,
  );
}
