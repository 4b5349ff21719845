import type { RecordBlock } from '../../core/log-record.ts';
import { GAP } from './sparse-block.ts';

/** First sequence of each topic (by id) that is kept; topics without one keep everything. */
export type Floors = ReadonlyMap<number, number>;

/** The block without the records below their topic's floor, gaps in their place; the block itself when none is. */
export function aboveFloors(block: RecordBlock, floors: Floors): RecordBlock {
  const gone: number[] = [];
  for (let i = 0; i < block.n; i++) {
    if (block.firstSeq + i < (floors.get(block.topic[i]!) ?? 0)) gone.push(i);
  }
  return gone.length === 0 ? block : withGaps(block, gone);
}

function withGaps(block: RecordBlock, gone: readonly number[]): RecordBlock {
  const masked = {
    ...block,
    topic: block.topic.slice(),
    partition: block.partition.slice(),
    offset: block.offset.slice(),
    timestamp: block.timestamp.slice(),
    keyStart: block.keyStart.slice(),
    keyEnd: block.keyEnd.slice(),
    valueStart: block.valueStart.slice(),
    valueEnd: block.valueEnd.slice(),
    headers: block.headers?.slice() ?? null,
  };
  for (const i of gone) {
    masked.topic[i] = 0;
    masked.partition[i] = GAP;
    masked.offset[i] = 0;
    masked.timestamp[i] = block.appendTime[i]!;
    masked.keyStart[i] = -1;
    masked.keyEnd[i] = -1;
    masked.valueStart[i] = -1;
    masked.valueEnd[i] = -1;
    if (masked.headers !== null) masked.headers[i] = [];
  }
  return masked;
}

export function isGap(block: RecordBlock, i: number): boolean {
  return block.partition[i] === GAP;
}
