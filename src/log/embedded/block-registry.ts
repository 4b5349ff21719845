import { blockInfo } from './block-layout.ts';
import type { LogDatabase, SealedBlock } from './log-environment.ts';
import { blockKey, numbers, offsetKey, readNumbers, SEGMENT_COUNTER, segmentKey } from './log-keys.ts';
import type { RunStart, SizedRun } from './offset-runs.ts';
import type { WrittenBlocks } from './segment-writer.ts';

/** A block that was written to a segment, and what it holds. */
export interface NewBlock {
  readonly bytes: Uint8Array;
  readonly runs: readonly SizedRun[];
}

/** Within a transaction: makes the blocks, which lie where `written` says, part of the log. */
export function registerBlocks(db: LogDatabase, blocks: readonly NewBlock[], written: WrittenBlocks): void {
  let at = written.offset;
  for (const { bytes, runs } of blocks) {
    const i = blockInfo(bytes, 0);
    const times = [i.minTimestamp, i.maxTimestamp, i.minAppendTime, i.maxAppendTime];
    void db.put(blockKey(i.firstSeq), numbers(written.segment, at, i.length, i.n, ...times, i.kept));
    for (const { topic, partition, offset, bytes: size } of runs) {
      void db.put(offsetKey(topic, partition, offset), numbers(i.firstSeq, size));
    }
    at += i.length;
  }
  void db.put(segmentKey(written.segment), numbers(written.end));
  const used = db.get(SEGMENT_COUNTER);
  if (used === undefined || readNumbers(used)[0]! < written.segment) {
    void db.put(SEGMENT_COUNTER, numbers(written.segment));
  }
}

/** Within a transaction: takes a block out of the log. `runs`: of the records that it holds. */
export function forgetBlock(db: LogDatabase, block: SealedBlock, runs: readonly RunStart[]): void {
  void db.remove(blockKey(block.firstSeq));
  for (const { topic, partition, offset } of runs) void db.remove(offsetKey(topic, partition, offset));
}
