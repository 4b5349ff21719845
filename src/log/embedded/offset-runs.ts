import type { RecordBlock } from '../../core/log-record.ts';
import { storedBytes } from './block-layout.ts';
import type { KeptPart } from './sparse-block.ts';

/** Where the offsets of one partition begin within a block. */
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
    if (partition < 0) continue; // a gap
    const both = topic * 65_536 + partition;
    if (seen.has(both)) continue;
    seen.add(both);
    starts.push({ topic, partition, offset: block.offset[i]! });
  }
  return starts;
}

export interface SizedRun extends RunStart {
  /** bytes that the block's records of this partition take when stored */
  readonly bytes: number;
}

/** The same for the kept records of parts that become one block, with what they take. */
export function sizedRuns(parts: readonly KeptPart[]): SizedRun[] {
  const runs = new Map<number, { topic: number; partition: number; offset: number; bytes: number }>();
  for (const { block, kept } of parts) {
    for (const i of kept) {
      const topic = block.topic[i]!;
      const partition = block.partition[i]!;
      const both = topic * 65_536 + partition;
      const run = runs.get(both);
      if (run === undefined) {
        runs.set(both, { topic, partition, offset: block.offset[i]!, bytes: storedBytes(block, i) });
      } else run.bytes += storedBytes(block, i);
    }
  }
  return [...runs.values()];
}
