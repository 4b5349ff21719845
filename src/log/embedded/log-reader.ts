import { MillraceError } from '../../core/errors.ts';
import type { LogAncestor, LogIdentity } from '../../core/log-identity.ts';
import type { RecordBlock } from '../../core/log-record.ts';
import type { LogReader, TopicInfo } from '../event-log.ts';
import { BlockStore } from './block-store.ts';
import type { LogDatabase } from './log-environment.ts';
import { openLogDatabase, storedIdentity, storedTopics } from './log-environment.ts';
import { ReadAhead, type ReadAheadOptions } from './read-ahead.ts';

/** Opens a reader on the log of this process, in any of its threads. The log itself must be open, or have been. */
export function openLogReader(dir: string): ThreadLogReader {
  const db = openLogDatabase(dir);
  const identity = storedIdentity(db);
  if (identity === null) {
    throw new MillraceError('data_corrupt', `there is no log in "${dir}"`, {
      hint: 'open the log before a reader of it',
    });
  }
  return new EmbeddedLogReader(db, dir, identity);
}

export interface ThreadLogReader extends LogReader {
  /** A scan that a thread of its own reads ahead of, while enough lies ahead. */
  readAhead(options: ReadAheadOptions): ReadAhead;
}

class EmbeddedLogReader implements ThreadLogReader {
  readonly id: string;
  readonly ancestors: readonly LogAncestor[];
  readonly #dir: string;
  readonly #db: LogDatabase;
  readonly #store: BlockStore;

  constructor(db: LogDatabase, dir: string, { id, ancestors }: LogIdentity) {
    this.id = id;
    this.ancestors = ancestors;
    this.#dir = dir;
    this.#db = db;
    this.#store = new BlockStore(db, dir);
  }

  start(): number {
    this.#store.refresh();
    return this.#store.start;
  }

  end(): number {
    return this.#store.refresh().end;
  }

  read(from: number, to?: number, maxRecords?: number): Iterable<RecordBlock> {
    const end = this.end();
    return this.#store.read(from, to === undefined ? end : Math.min(to, end), maxRecords);
  }

  scan(from: number, to?: number, maxRecords?: number): Iterable<RecordBlock> {
    const end = this.end();
    return this.#store.read(from, to === undefined ? end : Math.min(to, end), maxRecords, true);
  }

  readAhead(options: ReadAheadOptions): ReadAhead {
    return new ReadAhead(this, this.#store, this.#dir, options);
  }

  topics(): readonly TopicInfo[] {
    this.#store.refresh();
    return storedTopics(this.#db)
      .map((topic, id) => {
        const floor = this.#store.floors.get(id);
        return floor === undefined ? topic : { ...topic, floor };
      })
      .slice(1);
  }

  topic(name: string): TopicInfo | null {
    return this.topics().find(t => t.name === name) ?? null;
  }

  async close(): Promise<void> {
    this.#store.close();
    await this.#db.close();
  }
}
