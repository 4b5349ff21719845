import { parentPort, workerData } from 'node:worker_threads';
import { openLogReader } from '../../src/log/embedded/log-reader.ts';

/**
 * Scans the log of another thread again and again while records are taken from it, and tells the first thing that was not
 * as it must be: sequences without a hole, records that hold their own sequence, all records of topic b.
 */
const { dir, scans } = workerData as { dir: string; scans: number };
const reader = openLogReader(dir);
parentPort?.postMessage('open');

let wrong: string | null = null;
for (let scan = 0; scan < scans; scan++) {
  let seq = -1;
  let ofB = 0;
  const end = reader.end();
  for (const block of reader.read(0, end)) {
    if (seq >= 0 && block.firstSeq !== seq) wrong ??= `block starts at ${block.firstSeq}, not at ${seq}`;
    for (let i = 0; i < block.n; i++) {
      const topic = block.topics[block.topic[i]!];
      if (topic === 'b') ofB++;
      if (topic !== 'a' && topic !== 'b') continue;
      const value = Buffer.from(block.bytes.subarray(block.valueStart[i], block.valueEnd[i])).toString();
      if (Number(value) % 500 !== (block.firstSeq + i) % 500)
        wrong ??= `record ${block.firstSeq + i} holds ${value}`;
    }
    seq = block.firstSeq + block.n;
  }
  if (ofB !== Math.ceil(end / 10)) wrong ??= `${ofB} records of b up to ${end}`;
  await new Promise(resolve => setImmediate(resolve));
}
parentPort?.postMessage({ scans, wrong });
await reader.close();
