import type { PartitionFeed } from './partition-feed.ts';
import type { SourceRecord } from './record-batches.ts';

export interface MergeLimits {
  readonly records: number;
  readonly bytes: number;
  /** whether an empty feed that is behind holds the others back */
  readonly waitsFor: (feed: PartitionFeed) => boolean;
}

/**
 * Takes records out of feeds in the order in which the log gets them: of all heads the smallest (event time, topic,
 * partition) first. While a feed is behind and empty nothing is taken, because what it will bring may be older: so catching
 * up makes nothing late. Where Kafka has no more, the others go on without.
 */
export function takeInEventTime(feeds: readonly PartitionFeed[], limits: MergeLimits): SourceRecord[] {
  const heap: PartitionFeed[] = [];
  for (const feed of feeds) {
    if (feed.head !== undefined) heap.push(feed);
    else if (feed.behind && limits.waitsFor(feed)) return [];
  }
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) siftDown(heap, i);
  const taken: SourceRecord[] = [];
  let bytes = 0;
  while (heap.length > 0 && taken.length < limits.records && bytes < limits.bytes) {
    const feed = heap[0]!;
    const record = feed.take();
    taken.push(record);
    bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
    if (feed.head === undefined) {
      if (feed.behind && limits.waitsFor(feed)) break;
      const last = heap.pop()!;
      if (heap.length === 0) break;
      heap[0] = last;
    }
    siftDown(heap, 0);
  }
  return taken;
}

function siftDown(heap: PartitionFeed[], at: number): void {
  const feed = heap[at]!;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, feed)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = feed;
}

function before(a: PartitionFeed, b: PartitionFeed): boolean {
  const [timeA, timeB] = [timeOf(a), timeOf(b)];
  if (timeA !== timeB) return timeA < timeB;
  if (a.topic !== b.topic) return a.topic < b.topic;
  return a.partition < b.partition;
}

/** A record without a time gets that of its append: it waits for nobody. */
const timeOf = (feed: PartitionFeed): number => feed.head?.timestamp ?? Number.NEGATIVE_INFINITY;
