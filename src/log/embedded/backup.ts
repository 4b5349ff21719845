import { linkSync, rmSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { MillraceError } from '../../core/errors.ts';
import { faultPoint } from '../../core/fault-points.ts';
import { assertDiskRoom, freeBytes } from '../../kv/disk-room.ts';
import { openBackupFolder, removeOthers } from './backup-folder.ts';
import type { BackedUpFile, BackupManifest } from './backup-manifest.ts';
import { MANIFEST } from './backup-manifest.ts';
import type { Piece } from './checked-copy.ts';
import { checkedCopy, chunks } from './checked-copy.ts';
import { damaged } from './damage.ts';
import type { LogDatabase, SealedBlock } from './log-environment.ts';
import { openIndexToRead, storedHead, storedId } from './log-environment.ts';
import { registeredSegments, sealedBlocks, segmentFile } from './segment-files.ts';
import { blockDamageAt } from './segment-reader.ts';
import { syncFolder } from './segment-writer.ts';
import { upkeepState } from './upkeep-state.ts';
import { sealedDamage } from './verify.ts';

export interface BackupOptions {
  /** made when it is not there; may hold an earlier backup of the same log */
  readonly folder: string;
  /** hard links instead of copies, where the folder lies on the disk of the log */
  readonly link?: boolean | undefined;
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

export interface BackupPorts {
  readonly db: LogDatabase;
  /** the log's folder */
  readonly dir: string;
  readonly clock: Clock;
  /** the segment that still grows */
  readonly growing: number;
  /** the log is being closed: the backup is given up */
  readonly closing: () => boolean;
}

/**
 * Copies the log as it stands at one position, while it is written to. No segment may be replaced meanwhile. What was
 * backed up before is not copied again; the new backup takes the place of the old one in one moment, with its manifest.
 */
export async function backUpLog(ports: BackupPorts, options: BackupOptions): Promise<BackupManifest> {
  const { db, dir, clock } = ports;
  const folder = resolve(options.folder);
  const before = openBackupFolder(folder, dir, storedId(db) ?? '');
  const partIndex = join(folder, 'index.part');
  assertDiskRoom(freeBytes(folder), statSync(join(dir, 'index.lmdb')).size);
  faultPoint('backup.index');
  rmSync(partIndex, { force: true });
  await db.backup(partIndex, true);
  const contents = contentsOf(partIndex);
  const { id, end, appendTime, start, segments } = contents;
  const known = new Map(before?.segments.map(s => [s.file, s]) ?? []);
  const fresh = segments.filter(s => !isThere(folder, s, known.get(segmentFile(s.segment))));
  const total = fresh.reduce((sum, s) => sum + s.length, 0);
  assertDiskRoom(freeBytes(folder), total);
  let done = 0;
  const onRead = (bytes: number): void => {
    if (ports.closing()) throw new MillraceError('log_write_failed', 'the log was closed during the backup');
    done += bytes;
    options.onProgress?.(done, total);
  };
  const files: BackedUpFile[] = [];
  for (const segment of segments) {
    const file = segmentFile(segment.segment);
    const link = (options.link ?? false) && segment.segment !== ports.growing;
    files.push(
      fresh.includes(segment) ? await copySegment({ dir, folder, segment, link, onRead }) : known.get(file)!,
    );
  }
  const indexFile = `index-${end}.lmdb`;
  const bytes = statSync(partIndex).size;
  const index = {
    file: indexFile,
    bytes,
    crc32: await checkedCopy({ from: partIndex, to: null, pieces: chunks(bytes) }),
  };
  await sync(partIndex);
  faultPoint('backup.index.named');
  await rename(partIndex, join(folder, indexFile));
  const manifest = {
    format: 1,
    log: id,
    start,
    position: end,
    appendTime,
    at: clock.now(),
    index,
    segments: files,
  } as const;
  await writeManifest(folder, manifest);
  removeOthers(folder, manifest);
  return manifest;
}

interface Segment {
  readonly segment: number;
  readonly length: number;
  /** by offset */
  readonly blocks: readonly SealedBlock[];
}

function contentsOf(index: string) {
  const db = openIndexToRead(index);
  try {
    const bySegment = new Map<number, SealedBlock[]>();
    for (const block of sealedBlocks(db)) {
      const blocks = bySegment.get(block.segment);
      if (blocks === undefined) bySegment.set(block.segment, [block]);
      else blocks.push(block);
    }
    const segments: Segment[] = registeredSegments(db).map(({ segment, length }) => ({
      segment,
      length,
      blocks: (bySegment.get(segment) ?? []).sort((a, b) => a.offset - b.offset),
    }));
    const { end, lastAppendTime } = storedHead(db);
    return {
      id: storedId(db) ?? '',
      end,
      appendTime: lastAppendTime,
      start: upkeepState(db).start,
      segments,
    };
  } finally {
    void db.close();
  }
}

/** A segment of this number has these bytes for good; only the newest one grows. */
function isThere(folder: string, { length }: Segment, known: BackedUpFile | undefined): boolean {
  if (known === undefined || known.bytes !== length) return false;
  const size = statSync(join(folder, known.file), { throwIfNoEntry: false })?.size ?? 0;
  return size >= length;
}

async function copySegment(copy: {
  readonly dir: string;
  readonly folder: string;
  readonly segment: Segment;
  readonly link: boolean;
  readonly onRead: (bytes: number) => void;
}): Promise<BackedUpFile> {
  const { dir, folder, segment, link, onRead } = copy;
  const file = segmentFile(segment.segment);
  const from = join(dir, file);
  const to = join(folder, file);
  const { pieces, blocks } = piecesOf(segment);
  const check = (piece: Piece, bytes: Uint8Array): void => {
    const block = blocks.get(piece);
    if (block === undefined) return;
    const what = bytes.length < piece.length ? 'the file ends within the block' : sealedDamage(block, bytes);
    if (what !== null) throw damaged(blockDamageAt(block, what));
  };
  const linked = link && linkTo(from, to);
  const crc32 = await checkedCopy({ from, to: linked ? null : to, pieces, check, onRead });
  return { file, bytes: segment.length, crc32 };
}

/** The blocks of a segment, and what lies between them: room of blocks that upkeep has replaced. */
function piecesOf({ blocks, length }: Segment): { pieces: Piece[]; blocks: Map<Piece, SealedBlock> } {
  const pieces: Piece[] = [];
  const of = new Map<Piece, SealedBlock>();
  let at = 0;
  const fill = (until: number): void => {
    for (const { offset, length: n } of chunks(until - at)) pieces.push({ offset: at + offset, length: n });
    at = until;
  };
  for (const block of blocks) {
    fill(block.offset);
    const piece = { offset: block.offset, length: block.length };
    pieces.push(piece);
    of.set(piece, block);
    at += block.length;
  }
  fill(length);
  return { pieces, blocks: of };
}

/** False when the two folders do not lie on one disk. */
function linkTo(from: string, to: string): boolean {
  faultPoint('backup.link');
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EXDEV') return false;
    throw error;
  }
}

async function writeManifest(folder: string, manifest: BackupManifest): Promise<void> {
  await syncFolder(join(folder, 'segments'));
  const part = join(folder, `${MANIFEST}.part`);
  const file = await open(part, 'w');
  faultPoint('backup.manifest');
  await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
  await file.sync();
  await file.close();
  faultPoint('backup.done');
  await rename(part, join(folder, MANIFEST));
  await syncFolder(folder);
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  faultPoint('backup.index.sync');
  await file.sync();
  await file.close();
}
