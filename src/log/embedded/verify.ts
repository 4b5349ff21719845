import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '../../core/errors.ts';
import { blockDamage, blockInfo } from './block-layout.ts';
import type { Damage } from './damage.ts';
import { INDEX_FILE } from './damage.ts';
import type { LogDatabase, SealedBlock } from './log-environment.ts';
import { openLogDatabaseToRead, storedHead, storedId } from './log-environment.ts';
import { afterPrefix, sequenceOf, TAIL } from './log-keys.ts';
import { registeredSegments, sealedBlocks, segmentFile } from './segment-files.ts';
import { blockDamageAt } from './segment-reader.ts';
import { tailBlockDamage, tailDamageAt } from './tail-run.ts';
import { upkeepState } from './upkeep-state.ts';

/** What one file of the log holds, and what of it cannot be read. */
export interface VerifiedFile {
  /** relative to the log's folder */
  readonly file: string;
  readonly blocks: number;
  readonly records: number;
  readonly bytes: number;
  readonly damage: readonly Damage[];
}

export interface VerifiedLog {
  readonly id: string;
  /** sequences [start, end) that the log keeps */
  readonly start: number;
  readonly end: number;
  /** segments in order, the index last */
  readonly files: readonly VerifiedFile[];
  /** records that no file holds although one should */
  readonly missing: readonly { readonly from: number; readonly to: number }[];
}

/**
 * Reads every block of a log's folder and compares its checksum. The folder may be in use: what is being sealed meanwhile
 * is looked at again.
 */
export async function verifyLog(
  dir: string,
  onProgress: (bytes: number, total: number) => void = () => {},
): Promise<VerifiedLog> {
  if (!existsSync(join(dir, INDEX_FILE))) {
    throw new MillraceError('data_corrupt', `there is no log in "${dir}"`, {
      hint: 'name the data folder with --data',
    });
  }
  const db = openLogDatabaseToRead(dir);
  try {
    const first = await verifyOnce(db, dir, onProgress);
    // a segment that upkeep replaced while it was read looks like a missing file
    return isWhole(first) ? first : await verifyOnce(db, dir, onProgress);
  } finally {
    await db.close();
  }
}

export function isWhole(log: VerifiedLog): boolean {
  return log.missing.length === 0 && log.files.every(f => f.damage.length === 0);
}

async function verifyOnce(
  db: LogDatabase,
  dir: string,
  onProgress: (bytes: number, total: number) => void,
): Promise<VerifiedLog> {
  db.resetReadTxn();
  const bySegment = new Map<number, SealedBlock[]>();
  for (const block of sealedBlocks(db)) {
    const blocks = bySegment.get(block.segment);
    if (blocks === undefined) bySegment.set(block.segment, [block]);
    else blocks.push(block);
  }
  const { start } = upkeepState(db);
  const { end } = storedHead(db);
  const id = storedId(db) ?? '';
  const index = verifyTail(db);
  const covered: Span[] = [...bySegment.values()].flat().map(b => [b.firstSeq, b.firstSeq + b.n]);
  const missing = uncovered([...covered, ...index.spans], start, end);
  const total = [...bySegment.values()].flat().reduce((sum, b) => sum + b.length, 0);
  let done = 0;
  const files: VerifiedFile[] = [];
  for (const { segment } of registeredSegments(db)) {
    const blocks = bySegment.get(segment) ?? [];
    const damage = await damageOf(dir, segment, blocks, bytes => {
      done += bytes;
      onProgress(done, total);
    });
    files.push({ file: segmentFile(segment), ...sums(blocks), damage });
  }
  return { id, start, end, files: [...files, index.file], missing };
}

function sums(blocks: readonly { readonly n: number; readonly length: number }[]) {
  const records = blocks.reduce((sum, b) => sum + b.n, 0);
  const bytes = blocks.reduce((sum, b) => sum + b.length, 0);
  return { blocks: blocks.length, records, bytes };
}

async function damageOf(
  dir: string,
  segment: number,
  blocks: readonly SealedBlock[],
  onRead: (bytes: number) => void,
): Promise<Damage[]> {
  const found: Damage[] = [];
  const path = join(dir, segmentFile(segment));
  if (!existsSync(path)) return blocks.map(b => blockDamageAt(b, 'the file is missing'));
  const file = await open(path, 'r');
  try {
    for (const block of blocks) {
      const bytes = new Uint8Array(block.length);
      const { bytesRead } = await file.read(bytes, 0, block.length, block.offset);
      onRead(block.length);
      const what = bytesRead < block.length ? 'the file ends within the block' : sealedDamage(block, bytes);
      if (what !== null) found.push(blockDamageAt(block, what));
    }
  } finally {
    await file.close();
  }
  return found;
}

export function sealedDamage(block: SealedBlock, bytes: Uint8Array): string | null {
  const damage = blockDamage(bytes, 0);
  if (damage !== null) return damage;
  const { firstSeq, n } = blockInfo(bytes, 0);
  return firstSeq === block.firstSeq && n === block.n ? null : 'it is the block of other records';
}

type Span = readonly [from: number, to: number];

function verifyTail(db: LogDatabase): { readonly file: VerifiedFile; readonly spans: readonly Span[] } {
  const damage: Damage[] = [];
  const blocks: { n: number; length: number }[] = [];
  const spans: Span[] = [];
  for (const { key, value } of db.getRange({ start: TAIL, end: afterPrefix(TAIL) })) {
    const bytes = new Uint8Array(value);
    const firstSeq = sequenceOf(key);
    const what = tailBlockDamage(firstSeq, bytes);
    const n = what === null ? blockInfo(bytes, 0).n : 0;
    blocks.push({ n, length: bytes.length });
    if (what === null) spans.push([firstSeq, firstSeq + n]);
    else {
      const at = tailDamageAt(db, firstSeq, bytes.length, what);
      damage.push(at);
      spans.push([firstSeq, at.to]);
    }
  }
  return { file: { file: INDEX_FILE, ...sums(blocks), damage }, spans };
}

function uncovered(spans: readonly Span[], start: number, end: number): { from: number; to: number }[] {
  const gaps: { from: number; to: number }[] = [];
  let at = start;
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    if (from > at) gaps.push({ from: at, to: from });
    at = Math.max(at, to);
  }
  if (at < end) gaps.push({ from: at, to: end });
  return gaps;
}
