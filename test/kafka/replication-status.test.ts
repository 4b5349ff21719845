import { expect, it } from 'vitest';
import { PartitionFeed } from '../../src/kafka/partition-feed.ts';
import { replicationStatus } from '../../src/kafka/replication-status.ts';
import { recordBatch } from './record-batch.ts';

it('names what is wrong with one partition at its topic alone, until it is read again', () => {
  const feed = (topic: string, partition: number) =>
    new PartitionFeed({ topic, partition, end: 0, last: null, now: 0 });
  const feeds = [feed('bad', 0), feed('bad', 1), feed('good', 0)];
  const problems = () =>
    replicationStatus({
      brokers: [],
      state: 'following',
      awaySince: null,
      error: null,
      feeds,
      problems: new Map(),
      absent: [],
      gaps: [],
    }).topics.map(t => `${t.name}: ${t.problem}`);
  const bad = feeds[1]!;
  bad.problem = 'partition 1: no such compression';
  expect(problems()).toEqual(['bad: partition 1: no such compression', 'good: null']);
  bad.fill({
    topic: 'bad',
    partition: 1,
    error: 0,
    highWatermark: 1,
    lastStable: 1,
    logStart: 0,
    aborted: [],
    batches: recordBatch({ offset: 0, values: ['v'] }),
  });
  expect(problems()).toEqual(['bad: null', 'good: null']);
});
