import type { RecordBlock } from '../../core/log-record.ts';

/** Where the offsets of one partition begin within a block; they go on without gaps to the partition's last record in it. */
export interface RunStart {
  readonly topic: number;
  readonly partition: number;
  readonly offset: number;
}

/** The first offset of each partition that has records among [from, to) of a block. */
export function runStarts(block: RecordBlock, from = 0, to = block.n): RunStart[] {
  const starts: RunStart[] = [];
  const seen = new Set<number>();
  for (let i = from; i < to; i++) {
    const topic = block.topic[i]!;
    const partition = block.partition[i]!;
    const both = topic * 65_536 + partition;
    if (seen.has(both)) continue;
    seen.add(both);
    starts.push({ topic, partition, offset: block.offset[i]! });
  }
  return starts;
}
