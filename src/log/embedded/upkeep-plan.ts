import type { LogDatabase, SealedBlock } from './log-environment.ts';
import { sealedBlock } from './log-environment.ts';
import { afterPrefix, BLOCKS, offsetKey, readNumbers, sequenceOf } from './log-keys.ts';
import { registeredSegments } from './segment-files.ts';

/** The sealed blocks with records of a topic, by first sequence, and the bytes that these take there. */
export type TopicBlocks = ReadonlyMap<number, number>;

/** Blocks to be written anew. */
export interface RewriteStep {
  readonly block: SealedBlock;
  /** write it anew even when nothing in it goes: its segment is to be emptied */
  readonly all: boolean;
}

/** Entries of the index that are read without giving way. */
const STRETCH = 4096;
/** A segment of which this share is of no use any more is emptied. */
const WORTH_IT = 0.25;

const AFTER_BLOCKS = afterPrefix(BLOCKS);

const breath = () => new Promise(resolve => setImmediate(resolve));

/** Only blocks that were sealed since sizes are kept tell theirs; of older ones it is taken as 0. */
export async function blocksOfTopic(
  db: LogDatabase,
  topic: number,
  partitions: number,
  before: number,
): Promise<TopicBlocks> {
  const blocks = new Map<number, number>();
  for (let partition = 0; partition < partitions; partition++) {
    let start = offsetKey(topic, partition, 0);
    const end = afterPrefix(start.subarray(0, 9));
    for (;;) {
      db.resetReadTxn();
      const entries = [...db.getRange({ start, end, limit: STRETCH })];
      for (const { value } of entries) {
        const [firstSeq = 0, bytes = 0] = readNumbers(value);
        if (firstSeq < before) blocks.set(firstSeq, (blocks.get(firstSeq) ?? 0) + bytes);
      }
      if (entries.length < STRETCH) break;
      start = Buffer.concat([entries.at(-1)!.key, Uint8Array.of(0)]);
      await breath();
    }
  }
  return blocks;
}

/** All sealed blocks in order of sequence, those that are sealed meanwhile too. */
export async function allSealedBlocks(db: LogDatabase): Promise<SealedBlock[]> {
  const blocks: SealedBlock[] = [];
  let start: Uint8Array = BLOCKS;
  for (;;) {
    db.resetReadTxn();
    const entries = [...db.getRange({ start, end: AFTER_BLOCKS, limit: STRETCH })];
    for (const { key, value } of entries) blocks.push(sealedBlock(sequenceOf(key), value));
    if (entries.length < STRETCH) return blocks;
    start = Buffer.concat([entries.at(-1)!.key, Uint8Array.of(0)]);
    await breath();
  }
}

/**
 * What to write anew so that `dropped` (bytes by first sequence of the block) becomes free room. A segment of which a
 * good part is of no use is emptied; of the others, with `every`, the blocks that lose something are written anew.
 */
export function rewriteSteps(
  db: LogDatabase,
  blocks: readonly SealedBlock[],
  dropped: ReadonlyMap<number, number>,
  every: boolean,
): RewriteStep[] {
  const live = new Map<number, number>();
  const touched = new Set<number>();
  for (const { firstSeq, length, segment } of blocks) {
    const bytes = dropped.get(firstSeq);
    live.set(segment, (live.get(segment) ?? 0) + length - Math.min(length, bytes ?? 0));
    if (bytes !== undefined) touched.add(segment);
  }
  const emptied = new Set<number>();
  for (const { segment, length } of registeredSegments(db)) {
    if (touched.has(segment) && length - (live.get(segment) ?? 0) >= WORTH_IT * length) emptied.add(segment);
  }
  return blocks.flatMap(block => {
    const all = emptied.has(block.segment);
    return all || (every && dropped.has(block.firstSeq)) ? [{ block, all }] : [];
  });
}
