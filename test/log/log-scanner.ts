import { parentPort, workerData } from 'node:worker_threads';
import { openLogReader } from '../../src/log/embedded/log-reader.ts';

/**
 * Reads the log of another thread from its start until `until` records came, and tells how many came and the first that
 * did not hold its own sequence as its value.
 */
const { dir, until } = workerData as { dir: string; until: number };
const reader = openLogReader(dir);
parentPort?.postMessage('open');

let seq = 0;
let wrong: string | null = null;
while (seq < until) {
  for (const block of reader.read(seq)) {
    if (block.firstSeq !== seq) wrong ??= `block starts at ${block.firstSeq}, not at ${seq}`;
    for (let i = 0; i < block.n; i++) {
      const value = Buffer.from(block.bytes.subarray(block.valueStart[i], block.valueEnd[i])).toString();
      if (Number(value) !== seq + i) wrong ??= `record ${seq + i} holds ${value}`;
    }
    seq = block.firstSeq + block.n;
  }
}
parentPort?.postMessage({ records: seq, wrong, topics: reader.topics().map(t => [t.name, t.records]) });
await reader.close();
