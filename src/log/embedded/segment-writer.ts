import { statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { faultPoint } from '../../core/fault-points.ts';
import { assertDiskRoom } from '../../kv/disk-room.ts';
import type { LogDatabase } from './log-environment.ts';
import { readNumbers, SEGMENT_COUNTER } from './log-keys.ts';
import { registeredSegments, segmentFile } from './segment-files.ts';
import { Turn } from './turn.ts';

/** A segment file grows to about this many bytes. */
export const SEGMENT_BYTES = 64 << 20;

export interface SegmentWriterOptions {
  readonly db: LogDatabase;
  /** the log's folder */
  readonly dir: string;
  /** bytes that its disk has left */
  readonly freeBytes: () => number;
}

/** Where written blocks lie. */
export interface WrittenBlocks {
  readonly segment: number;
  readonly offset: number;
  readonly end: number;
}

/** Appends to the newest segment file, always at its registered length: what an interrupted pass left is overwritten. */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  /** for writing, registering and advancing as one */
  readonly turn = new Turn();
  #segment = 0;
  #length = SEGMENT_BYTES;
  #file: FileHandle | null = null;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#load();
  }

  /** the file that is written to; 0: the next blocks begin one */
  get segment(): number {
    return this.#segment;
  }

  /** Begins again at what is registered: after a failure nobody knows what of it is. */
  async restart(): Promise<void> {
    await this.close();
    this.#load();
  }

  /** A file that lost registered bytes takes no more: a gap of zeros would look like records. */
  #load(): void {
    const { db, dir } = this.#options;
    const last = registeredSegments(db).at(-1);
    this.#segment = last?.segment ?? 0;
    this.#length = last?.length ?? SEGMENT_BYTES;
    if (last === undefined) return;
    const size = statSync(join(dir, segmentFile(last.segment)), { throwIfNoEntry: false })?.size ?? 0;
    if (size < last.length) this.#length = SEGMENT_BYTES;
  }

  /**
   * Writes blocks side by side and waits until they are on disk. The caller registers them, then calls `advance`.
   * Throws `disk_full` before a byte is written when the disk has no room.
   */
  async write(blocks: readonly Uint8Array[]): Promise<WrittenBlocks> {
    const { dir, freeBytes } = this.#options;
    const bytes = blocks.reduce((sum, block) => sum + block.length, 0);
    assertDiskRoom(freeBytes(), bytes);
    if (this.#length >= SEGMENT_BYTES) await this.#roll();
    this.#file ??= await open(join(dir, segmentFile(this.#segment)), 'r+');
    const offset = this.#length;
    let at = offset;
    faultPoint('log.segment.write');
    for (const block of blocks) {
      let written = 0;
      while (written < block.length) {
        written += (await this.#file.write(block, written, block.length - written, at + written))
          .bytesWritten;
      }
      at += block.length;
    }
    faultPoint('log.segment.sync');
    await this.#file.datasync();
    return { segment: this.#segment, offset, end: at };
  }

  /** The blocks up to `end` are registered. */
  advance(end: number): void {
    this.#length = end;
  }

  /** The next blocks begin a new file. */
  async startFile(): Promise<void> {
    await this.close();
    this.#segment = 0;
    this.#length = SEGMENT_BYTES;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  async #roll(): Promise<void> {
    await this.close();
    const { db, dir } = this.#options;
    const next = nextSegment(db);
    faultPoint('log.segment.create');
    this.#file = await open(join(dir, segmentFile(next)), 'w+');
    await syncFolder(join(dir, 'segments'));
    this.#segment = next;
    this.#length = 0;
  }
}

/** Numbers are never used twice, also of segments that are gone: a backup tells files apart by them. */
export function nextSegment(db: LogDatabase): number {
  db.resetReadTxn();
  const value = db.get(SEGMENT_COUNTER);
  const used = value === undefined ? 0 : readNumbers(value)[0]!;
  return Math.max(used, registeredSegments(db).at(-1)?.segment ?? 0) + 1;
}

/** Makes a new file's name durable, where the system can. */
export async function syncFolder(dir: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dir, 'r');
  try {
    faultPoint('log.segment.folder');
    await folder.sync();
  } finally {
    await folder.close();
  }
}
