import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, ManualClock, systemClock } from '../../src/core/clock.ts';
import { MillraceError } from '../../src/core/errors.ts';
import { PartitionFeed } from '../../src/kafka/partition-feed.ts';
import { ReplicaWriter } from '../../src/kafka/replica-writer.ts';
import { GAPS_TOPIC, ReplicationGaps } from '../../src/kafka/replication-gaps.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { until } from '../until.ts';
import { recordBatch } from './record-batch.ts';
import { recordsOf, textOf } from './replica.ts';

let stop: () => Promise<void> = async () => {};

afterEach(() => stop());

/** A feed of topic `t` that goes on where the log ends, and brings Kafka's records from there on. */
function feedOf(log: EventLog, values: readonly string[]): PartitionFeed {
  const end = log.topic('t')?.ends[0] ?? 0;
  const feed = new PartitionFeed({ topic: 't', partition: 0, end, last: null, now: 0 });
  fill(feed, values);
  return feed;
}

function fill(feed: PartitionFeed, values: readonly string[]): void {
  feed.fill({
    topic: 't',
    partition: 0,
    error: 0,
    highWatermark: values.length,
    lastStable: values.length,
    logStart: 0,
    aborted: [],
    batches: Buffer.concat(
      values.slice(feed.next).map((value, i) => recordBatch({ offset: feed.next + i, values: [value] })),
    ),
  });
}

/** A writer whose feeds are made anew, as the replicator does it, when the log has not taken something. */
function copying(log: EventLog, values: readonly string[], clock: Clock = systemClock) {
  let feeds = new Map([['t/0', feedOf(log, values)]]);
  const gaps = new ReplicationGaps({ log, clock: systemClock, report: () => {} });
  const failures: string[] = [];
  const writer = new ReplicaWriter({
    log,
    clock,
    gaps,
    feeds: () => feeds,
    healthy: () => true,
    appended: () => {},
    failed: error => {
      failures.push(String(error));
      feeds = new Map();
    },
  });
  return {
    gaps,
    failures,
    add: (feed: PartitionFeed) => feeds.set(feed.id, feed),
    tell: () => writer.arrived.tell(),
    feed: () => feeds.get('t/0'),
    start() {
      const done = writer.run();
      stop = async () => {
        writer.stop();
        await done;
      };
    },
    connectAgain(all: readonly string[]) {
      feeds = new Map([['t/0', feedOf(log, all)]]);
      writer.arrived.tell();
    },
  };
}

const replicated = (): EventLog => {
  const log = createMemoryLog({ clock: systemClock });
  log.replicateTopic('t', 1);
  return log;
};

const values = (log: EventLog): (string | null)[] => recordsOf(log, 't').map(r => textOf(r.value));

describe('what was fetched', () => {
  it('is not appended behind a hole: a batch that waits for the disk is given up when the one before it is lost', async () => {
    const log = replicated();
    const real = { append: log.append.bind(log), topic: log.topic.bind(log) };
    const writing = copying(log, ['0', '1']);
    const disk = Promise.withResolvers<void>();
    let calls = 0;
    let accepted = 0;
    log.topic = name => {
      const topic = real.topic(name);
      return topic === null || name !== 't' || accepted === 0 ? topic : { ...topic, ends: [accepted] };
    };
    log.append = append => {
      calls++;
      if (calls === 1) {
        accepted = 2; // taken, and not on disk yet
        fill(writing.feed()!, ['0', '1', '2', '3']);
        const records = append.records.map((r, seq) => ({
          topic: 't',
          partition: 0,
          offset: r.offset!,
          seq,
        }));
        return { records, end: 2, appendTime: 0, durable: disk.promise };
      }
      if (calls === 2) {
        accepted = 0;
        disk.reject(new Error('the disk does not answer'));
        throw new MillraceError('overloaded', 'the disk is slow');
      }
      return real.append(append);
    };
    writing.start();
    await until('both are told', () => writing.failures.length === 2);
    expect(values(log)).toEqual([]);
    writing.connectAgain(['0', '1', '2', '3']);
    await until('all is here', () => real.topic('t')?.records === 4);
    expect(values(log)).toEqual(['0', '1', '2', '3']);
  });
});

it('waits 30 s at most for a partition of which nothing was ever heard, as when no broker leads it', async () => {
  const log = replicated();
  log.replicateTopic('t', 2);
  const clock = new ManualClock(50_000);
  const writing = copying(log, ['0'], clock);
  const offline = new PartitionFeed({ topic: 't', partition: 1, end: 0, last: null, now: 21_000 });
  writing.add(offline);
  writing.start();
  await log.append({ records: [] }).durable;
  expect(values(log)).toEqual([]);
  expect(writing.feed()?.head).toBeDefined();
  clock.set(51_000);
  writing.tell();
  await until('the other partition is copied', () => log.topic('t')?.records === 1);
  expect(values(log)).toEqual(['0']);
});

describe('a gap', () => {
  it('is written down when the log takes it again, once and before the records behind it', async () => {
    const log = replicated();
    const append = log.append.bind(log);
    const createTopic = log.createTopic.bind(log);
    const failing = ['topic', 'append', 'commit'];
    log.createTopic = spec => {
      if (failing[0] !== 'topic') return createTopic(spec);
      failing.shift();
      throw new Error('no topic can be made');
    };
    log.append = ({ records }) => {
      const [fails] = failing;
      if (fails === undefined) return append({ records });
      failing.shift();
      if (fails === 'append') throw new Error('nothing is taken');
      return { records: [], end: 0, appendTime: 0, durable: Promise.reject(new Error('not on disk')) };
    };
    const writing = copying(log, ['0']);
    writing.gaps.found({ topic: 't', partition: 0, from: 0, to: 1, reason: 'retention' });
    writing.start();
    for (let failures = 1; failures <= 3; failures++) {
      await until(`failure ${failures} is told`, () => writing.failures.length >= failures);
      writing.connectAgain(['0']);
    }
    await until('the record is here', () => log.topic('t')?.records === 1);
    const written = recordsOf(log, GAPS_TOPIC);
    expect(written.map(r => JSON.parse(textOf(r.value) ?? ''))).toEqual([...writing.gaps.all]);
    expect(written.map(r => r.seq)).toEqual([0]);
    expect(recordsOf(log, 't').map(r => r.seq)).toEqual([1]);
  });
});
