import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { faultPoint } from '../../core/fault-points.ts';
import { damageText } from './damage.ts';
import type { LogDatabase, SealedBlock } from './log-environment.ts';
import { sealedBlock } from './log-environment.ts';
import { afterPrefix, BLOCKS, readNumbers, SEGMENTS, segmentKey, sequenceOf } from './log-keys.ts';

const NAME = /^(\d{10})\.segment$/;

/** relative to the log's folder */
export function segmentFile(segment: number): string {
  return `segments/${String(segment).padStart(10, '0')}.segment`;
}

export interface RegisteredSegment {
  readonly segment: number;
  readonly length: number;
}

export function registeredSegments(db: LogDatabase): RegisteredSegment[] {
  const segments: RegisteredSegment[] = [];
  for (const { key, value } of db.getRange({ start: SEGMENTS, end: segmentKey(0xffffffff) })) {
    segments.push({ segment: Buffer.from(key).readUInt32BE(1), length: readNumbers(value)[0]! });
  }
  return segments;
}

/** The blocks of the log in order of sequence, from the one at or after `from`. */
export function* sealedBlocks(db: LogDatabase, from: Uint8Array = BLOCKS): Generator<SealedBlock> {
  for (const { key, value } of db.getRange({ start: from, end: afterPrefix(BLOCKS) })) {
    yield sealedBlock(sequenceOf(key), value);
  }
}

/**
 * Compares the segment files with what is registered. What is beyond the registered length was never acknowledged from
 * there (the tail still has it): it is cut off. A file of which registered bytes are gone is told: its records are
 * refused when they are read, the rest of the log is not. Returns what was found and done.
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
    done.push(`removed segments/${name}: work on it was interrupted; its records are elsewhere in the log`);
  }
  for (const { segment, length } of registered) {
    const file = segmentFile(segment);
    const size = statSync(join(dir, file), { throwIfNoEntry: false })?.size ?? null;
    if (size === length) continue;
    if (size === null || size < length) done.push(lostBytes(db, segment, size));
    else {
      faultPoint('log.segment.cut');
      truncateSync(join(dir, file), length);
      done.push(`cut ${size - length} bytes off ${file}: a torn write; the records are still in the tail`);
    }
  }
  return done;
}

function lostBytes(db: LogDatabase, segment: number, size: number | null): string {
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  for (const block of sealedBlocks(db)) {
    if (block.segment !== segment || block.offset + block.length <= (size ?? 0)) continue;
    from = Math.min(from, block.firstSeq);
    to = Math.max(to, block.firstSeq + block.n);
  }
  const what = size === null ? 'the file is missing' : 'the file ends there';
  return damageText({ file: segmentFile(segment), offset: size ?? 0, length: 0, from, to, what });
}
