import { describe, expect, it } from 'vitest';
import { takeInEventTime } from '../../src/kafka/event-time-merge.ts';
import { PartitionFeed } from '../../src/kafka/partition-feed.ts';
import { recordBatch } from './record-batch.ts';

/** A feed that has been sent these times, each as a record, and of which Kafka has `behind` more. */
function feed(partition: number, times: readonly number[], behind = 0): PartitionFeed {
  const made = new PartitionFeed({ topic: 't', partition, end: 0, last: null, now: 0 });
  made.fill({
    topic: 't',
    partition,
    error: 0,
    highWatermark: times.length + behind,
    lastStable: times.length + behind,
    logStart: 0,
    aborted: [],
    batches: Buffer.concat(
      times.map((timestamp, offset) => recordBatch({ offset, values: ['v'], timestamp })),
    ),
  });
  return made;
}

const take = (feeds: readonly PartitionFeed[], waits = true) =>
  takeInEventTime(feeds, { records: 100, bytes: 1e6, waitsFor: () => waits }).map(
    r => `${r.timestamp}/${r.partition}`,
  );

describe('the order of what is copied', () => {
  it('is event time, then partition', () => {
    expect(take([feed(1, [1, 5, 5]), feed(0, [2, 5]), feed(2, [4])])).toEqual([
      '1/1',
      '2/0',
      '4/2',
      '5/0',
      '5/1',
      '5/1',
    ]);
  });

  it('keeps that of a partition, whatever the times', () => {
    expect(take([feed(0, [9, 1]), feed(1, [5])])).toEqual(['5/1', '9/0', '1/0']);
  });

  it('waits for a partition that is behind and has nothing here: it may bring older records', () => {
    expect(take([feed(0, [1, 2]), feed(1, [], 3)])).toEqual([]);
    expect(take([feed(0, [1, 4]), feed(1, [2, 3], 7)])).toEqual(['1/0', '2/1', '3/1']);
  });

  it('goes on without one that has nothing more, and without one that is waited for no longer', () => {
    expect(take([feed(0, [1, 2]), feed(1, [])])).toEqual(['1/0', '2/0']);
    expect(take([feed(0, [1, 2]), feed(1, [], 3)], false)).toEqual(['1/0', '2/0']);
  });

  it('is cut at the limits and goes on where it was', () => {
    const feeds = [feed(0, [1, 3]), feed(1, [2, 4])];
    const part = () =>
      takeInEventTime(feeds, { records: 3, bytes: 1e6, waitsFor: () => true }).map(r => r.timestamp);
    expect([part(), part(), part()]).toEqual([[1, 2, 3], [4], []]);
  });
});
