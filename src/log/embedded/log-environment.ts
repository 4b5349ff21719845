import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import { assert } from '../../core/assert.ts';
import { MillraceError } from '../../core/errors.ts';
import type { LogAncestor, LogIdentity } from '../../core/log-identity.ts';
import { BLOCKS, HEAD_KEY, ID_KEY, readNumbers, sequenceOf, TOPICS, topicKey } from './log-keys.ts';
import { upkeepState } from './upkeep-state.ts';

export type LogDatabase = RootDatabase<Uint8Array, Uint8Array>;

/** What one group commit leaves as the head of the log. */
export interface StoredHead {
  readonly end: number;
  readonly lastAppendTime: number;
  /** topics that exist, ticks included */
  readonly topics: number;
}

export interface StoredTopic {
  readonly name: string;
  readonly partitions: number;
  readonly keyIndex: boolean;
  readonly replicated?: true;
  readonly ends: number[];
  readonly records: number;
}

interface StoredIdentity {
  readonly id: string;
  readonly format: number;
  readonly ancestors?: readonly LogAncestor[];
}

const FORMAT = 1;
/** Address space, not memory or disk. A fixed map is never moved under the feet of another thread's reads. */
const MAP_BYTES = 64 * 2 ** 30;

/** Opens the environment of a log folder. Several threads of one process may, and share it. */
export function openLogDatabase(dir: string): LogDatabase {
  assert(new Uint8Array(new Uint16Array([1]).buffer)[0] === 1, 'blocks are stored little endian');
  mkdirSync(join(dir, 'segments'), { recursive: true });
  try {
    return open<Uint8Array, Uint8Array>({
      path: join(dir, 'index.lmdb'),
      noSubdir: true,
      keyEncoding: 'binary',
      encoding: 'binary',
      cache: false,
      compression: false,
      // a commit is visible to readers only when it is on disk, so that nobody acts on what a crash may take back
      overlappingSync: false,
      // every write here is a batch: another around it would have a promise that fails unheard and ends the process
      eventTurnBatching: false,
      ...(process.platform === 'win32' ? {} : { mapSize: MAP_BYTES }),
    });
  } catch (cause) {
    throw new MillraceError('data_corrupt', `the log's index in "${dir}" cannot be opened`, {
      hint: 'restore the data folder from a backup',
      cause,
    });
  }
}

/** Opens the index of a log beside a process that writes it, or alone. */
export function openLogDatabaseToRead(dir: string): LogDatabase {
  return openIndexToRead(join(dir, 'index.lmdb'));
}

export function openIndexToRead(path: string): LogDatabase {
  return open<Uint8Array, Uint8Array>({
    path,
    noSubdir: true,
    keyEncoding: 'binary',
    encoding: 'binary',
    cache: false,
    compression: false,
    readOnly: true,
  });
}

/** Null: no log was made here yet. */
export function storedIdentity(db: LogDatabase): LogIdentity | null {
  const value = db.get(ID_KEY);
  if (value === undefined) return null;
  const { id, format, ancestors = [] } = JSON.parse(Buffer.from(value).toString()) as StoredIdentity;
  if (format !== FORMAT) {
    throw new MillraceError(
      'data_corrupt',
      `the log has format ${format}, this version reads format ${FORMAT}`,
      {
        hint: 'open it with the version that wrote it',
      },
    );
  }
  return { id, ancestors };
}

export function storedId(db: LogDatabase): string | null {
  return storedIdentity(db)?.id ?? null;
}

export function identityValue({ id, ancestors }: LogIdentity): Buffer {
  const stored: StoredIdentity = { id, format: FORMAT, ...(ancestors.length === 0 ? {} : { ancestors }) };
  return Buffer.from(JSON.stringify(stored));
}

export function storedHead(db: LogDatabase): StoredHead {
  const value = db.get(HEAD_KEY);
  if (value === undefined) return { end: 0, lastAppendTime: 0, topics: 0 };
  const [end = 0, lastAppendTime = 0, topics = 0] = readNumbers(value);
  return { end, lastAppendTime, topics };
}

export function storedTopic(db: LogDatabase, id: number): StoredTopic | null {
  const value = db.get(topicKey(id));
  return value === undefined ? null : (JSON.parse(Buffer.from(value).toString()) as StoredTopic);
}

/** all topics in order of their ids, ticks first */
export function storedTopics(db: LogDatabase): StoredTopic[] {
  const topics: StoredTopic[] = [];
  for (const { value } of db.getRange({ start: TOPICS, end: topicKey(0xffffffff) })) {
    topics.push(JSON.parse(Buffer.from(value).toString()) as StoredTopic);
  }
  return topics;
}

/** Where a sealed block lies. */
export interface SealedBlock {
  readonly firstSeq: number;
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
  readonly n: number;
  readonly minTimestamp: number;
  readonly maxTimestamp: number;
  readonly minAppendTime: number;
  readonly maxAppendTime: number;
  /** records that upkeep has left in it; the others are gaps */
  readonly kept: number;
}

export function sealedBlock(firstSeq: number, value: Uint8Array): SealedBlock {
  const v = readNumbers(value);
  return {
    firstSeq,
    segment: v[0]!,
    offset: v[1]!,
    length: v[2]!,
    n: v[3]!,
    minTimestamp: v[4]!,
    maxTimestamp: v[5]!,
    minAppendTime: v[6]!,
    maxAppendTime: v[7]!,
    kept: v[8] ?? v[3]!,
  };
}

/** The last entry of a family at or before `key`. */
export function lastUpTo(
  db: LogDatabase,
  family: Uint8Array,
  key: Uint8Array,
): { key: Uint8Array; value: Uint8Array } | null {
  for (const entry of db.getRange({ start: key, end: family, reverse: true, limit: 1 })) return entry;
  return null;
}

/** sequence after the last sealed record */
export function sealedEnd(db: LogDatabase): number {
  const last = lastUpTo(db, BLOCKS, Buffer.from([BLOCKS[0]! + 1]));
  if (last === null) return upkeepState(db).start;
  const firstSeq = sequenceOf(last.key);
  return firstSeq + sealedBlock(firstSeq, last.value).n;
}
