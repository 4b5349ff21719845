import { closeSync, openSync, readdirSync, readSync, rmSync, statSync, truncateSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '../../core/errors.ts';
import { faultPoint } from '../../core/fault-points.ts';
import { blockDamage } from './block-layout.ts';
import type { LogDatabase, SealedBlock } from './log-environment.ts';
import { readNumbers, SEGMENTS, segmentKey } from './log-keys.ts';

/** A segment file grows to about this many bytes. */
const SEGMENT_BYTES = 64 << 20;
const NAME = /^(\d{10})\.segment$/;

function fileName(segment: number): string {
  return `segments/${String(segment).padStart(10, '0')}.segment`;
}

function corrupt(file: string, offset: number, what: string): MillraceError {
  return new MillraceError('data_corrupt', `the log file "${file}" is damaged at byte ${offset}: ${what}`, {
    hint: 'restore the data folder from a backup',
    data: { file, offset },
  });
}

interface RegisteredSegment {
  readonly segment: number;
  readonly length: number;
}

function registeredSegments(db: LogDatabase): RegisteredSegment[] {
  const segments: RegisteredSegment[] = [];
  for (const { key, value } of db.getRange({ start: SEGMENTS, end: segmentKey(0xffffffff) })) {
    segments.push({ segment: Buffer.from(key).readUInt32BE(1), length: readNumbers(value)[0]! });
  }
  return segments;
}

/**
 * Compares the segment files with what is registered. What is beyond the registered length was never acknowledged from
 * there (the tail still has it): it is cut off. Returns what was found and done. Throws when registered bytes are gone.
 */
export function recoverSegments(db: LogDatabase, dir: string): string[] {
  const done: string[] = [];
  const registered = registeredSegments(db);
  const known = new Set(registered.map(s => s.segment));
  for (const name of readdirSync(join(dir, 'segments'))) {
    const segment = Number(NAME.exec(name)?.[1] ?? -1);
    if (segment < 0 || known.has(segment)) continue;
    faultPoint('log.segment.remove');
    rmSync(join(dir, 'segments', name));
    done.push(`removed segments/${name}: its sealing was interrupted; the records are still in the tail`);
  }
  for (const { segment, length } of registered) {
    const file = fileName(segment);
    const size = statSync(join(dir, file), { throwIfNoEntry: false })?.size ?? null;
    if (size === null) throw corrupt(file, 0, 'the file is missing');
    if (size < length) throw corrupt(file, size, `the file ends there, ${length - size} bytes are missing`);
    if (size === length) continue;
    faultPoint('log.segment.cut');
    truncateSync(join(dir, file), length);
    done.push(`cut ${size - length} bytes off ${file}: a torn write; the records are still in the tail`);
  }
  return done;
}

/** Reads sealed blocks; every block's checksum is checked the first time that this reader meets it. */
export class SegmentReader {
  readonly #dir: string;
  readonly #files = new Map<number, number>();
  readonly #checked = new Set<number>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The bytes of blocks that lie side by side in one segment. */
  read(blocks: readonly SealedBlock[]): Uint8Array {
    const first = blocks[0]!;
    const last = blocks.at(-1)!;
    const bytes = new Uint8Array(last.offset + last.length - first.offset);
    const read = readSync(this.#file(first.segment), bytes, 0, bytes.length, first.offset);
    const file = fileName(first.segment);
    if (read < bytes.length) throw corrupt(file, first.offset + read, 'the file ends there');
    for (const block of blocks) {
      if (this.#checked.has(block.firstSeq)) continue;
      const damage = blockDamage(bytes, block.offset - first.offset);
      if (damage !== null) throw corrupt(file, block.offset, damage);
      this.#checked.add(block.firstSeq);
    }
    return bytes;
  }

  close(): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }

  #file(segment: number): number {
    let file = this.#files.get(segment);
    if (file === undefined) {
      const name = fileName(segment);
      try {
        file = openSync(join(this.#dir, name), 'r');
      } catch {
        throw corrupt(name, 0, 'the file cannot be opened');
      }
      this.#files.set(segment, file);
    }
    return file;
  }
}

/** Appends to the newest segment file, always at its registered length: what an interrupted pass left is overwritten. */
export class SegmentWriter {
  readonly #db: LogDatabase;
  readonly #dir: string;
  #segment = 0;
  #length = SEGMENT_BYTES;
  #file: FileHandle | null = null;

  constructor(db: LogDatabase, dir: string) {
    this.#db = db;
    this.#dir = dir;
    this.#load();
  }

  /** Begins again at what is registered: after a failure nobody knows what of it is. */
  async restart(): Promise<void> {
    await this.close();
    this.#load();
  }

  #load(): void {
    const last = registeredSegments(this.#db).at(-1);
    this.#segment = last?.segment ?? 0;
    this.#length = last?.length ?? SEGMENT_BYTES;
  }

  /** Writes blocks side by side and waits until they are on disk. The caller registers them, then calls `advance`. */
  async write(blocks: readonly Uint8Array[]): Promise<{ segment: number; offset: number; end: number }> {
    if (this.#length >= SEGMENT_BYTES) await this.#roll();
    this.#file ??= await open(join(this.#dir, fileName(this.#segment)), 'r+');
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

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  async #roll(): Promise<void> {
    await this.close();
    const next = this.#segment + 1;
    faultPoint('log.segment.create');
    this.#file = await open(join(this.#dir, fileName(next)), 'w+');
    await syncFolder(join(this.#dir, 'segments'));
    this.#segment = next;
    this.#length = 0;
  }
}

/** Makes a new file's name durable, where the system can. */
async function syncFolder(dir: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dir, 'r');
  faultPoint('log.segment.folder');
  await folder.sync();
  await folder.close();
}
