import type { KafkaCluster } from './kafka-client.ts';
import { committedRecords, type SourceRecord } from './record-batches.ts';

const FIRST_LOOK = 16;
const ANSWER_BYTES = 4 << 20;

/** The last committed record that a partition holds; null: it holds none. At its end there may be markers only. */
export async function lastRecord(
  cluster: KafkaCluster,
  topic: string,
  partition: number,
): Promise<SourceRecord | null> {
  const leader = (await cluster.topics()).get(topic)?.leaders[partition] ?? -1;
  if (leader < 0) throw new Error(`nobody leads ${topic}/${partition}`);
  const { start, end } = await cluster.range(topic, partition);
  for (let back = FIRST_LOOK; ; back *= 8) {
    const from = Math.max(start, end - back);
    let last: SourceRecord | null = null;
    for (let offset = from; offset < end; ) {
      const asked = { topic, partition, offset, maxBytes: ANSWER_BYTES };
      const { partitions } = await cluster.fetch(leader, [asked], 0, ANSWER_BYTES);
      const answer = partitions[0];
      if (answer === undefined || answer.error !== 0) {
        throw new Error(`Kafka answers ${topic}/${partition} with ${answer?.error ?? 'nothing'}`);
      }
      const { aborted, batches } = answer;
      const { records, next } = committedRecords(batches, { topic, partition, from: offset, aborted });
      last = records.at(-1) ?? last;
      if (next <= offset) break; // what stood behind was compacted
      offset = next;
    }
    if (last !== null || from === start) return last;
  }
}
