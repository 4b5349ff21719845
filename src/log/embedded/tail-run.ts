import { blockDamage } from './block-layout.ts';
import { damaged, INDEX_FILE } from './damage.ts';
import type { LogDatabase } from './log-environment.ts';
import { storedHead } from './log-environment.ts';
import { afterPrefix, sequenceOf, TAIL, tailKey } from './log-keys.ts';

const AFTER_TAIL = afterPrefix(TAIL);

export interface TailRunOptions {
  /** key of the first block */
  readonly start: Uint8Array;
  /** blocks that begin at this sequence or later stay out, but for the first */
  readonly until: number;
  readonly maxBytes: number;
  readonly maxBlocks?: number | undefined;
}

export interface TailRun {
  /** whole blocks of the tail that follow each other, as stored, aligned to 8 */
  readonly bytes: Uint8Array;
  /** their first sequences */
  readonly starts: readonly number[];
}

/** Reads blocks of the tail. Each has a checksum of its own; throws `data_corrupt` for the first that is not whole. */
export function readTailRun(db: LogDatabase, options: TailRunOptions): TailRun {
  const { start, until, maxBytes, maxBlocks = Number.POSITIVE_INFINITY } = options;
  const parts: Uint8Array[] = [];
  const starts: number[] = [];
  let length = 0;
  for (const { key, value } of db.getRange({ start, end: AFTER_TAIL })) {
    const seq = sequenceOf(key);
    const enough = parts.length >= maxBlocks || length + value.length > maxBytes;
    if (parts.length > 0 && (seq >= until || enough)) break;
    parts.push(value);
    starts.push(seq);
    length += value.length;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    bytes.set(part, at);
    assertWholeTailBlock(db, starts[i]!, bytes.subarray(at, at + part.length));
    at += part.length;
  }
  return { bytes, starts };
}

/** `bytes`: aligned to 8. */
export function assertWholeTailBlock(db: LogDatabase, firstSeq: number, bytes: Uint8Array): void {
  const what = tailBlockDamage(firstSeq, bytes);
  if (what === null) return;
  throw damaged(tailDamageAt(db, firstSeq, bytes.length, what));
}

export function tailBlockDamage(firstSeq: number, bytes: Uint8Array): string | null {
  const damage = blockDamage(bytes, 0);
  if (damage !== null) return damage;
  const stored = new Float64Array(bytes.buffer, bytes.byteOffset + 32, 1)[0]!;
  return stored === firstSeq ? null : `it is the block of record ${stored}`;
}

export function tailDamageAt(db: LogDatabase, firstSeq: number, length: number, what: string) {
  let to = storedHead(db).end;
  let first = true;
  for (const key of db.getKeys({ start: tailKey(firstSeq), end: AFTER_TAIL, limit: 2 })) {
    if (!first) to = sequenceOf(key);
    first = false;
  }
  return { file: INDEX_FILE, offset: null, length, from: firstSeq, to, what };
}
