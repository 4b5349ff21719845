import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GAPS_TOPIC } from '../../src/kafka/replication-gaps.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { runTool } from '../servers/kafka-broker.ts';
import { sharedBroker } from '../servers/shared-broker.ts';
import { until } from '../until.ts';
import { Replica, recordsOf, textOf } from './replica.ts';
import { Topics } from './topics.ts';

let topics: Topics;
const open: Replica[] = [];

beforeAll(async () => {
  topics = new Topics((await sharedBroker()).address);
});

afterEach(async () => {
  for (const replica of open.splice(0)) await replica.stop();
});

function replicate(names: readonly string[], log?: EventLog): Replica {
  const replica = new Replica(topics.settings, names, log);
  open.push(replica);
  return replica;
}

describe('what is copied', () => {
  it('is what was produced: bytes, headers, times, offsets, tombstones', async () => {
    const topic = await topics.create('bytes', 2);
    const odd = Buffer.from([0, 255, 254, 10, 13]);
    await topics.produce(topic, [
      {
        partition: 1,
        key: 'alice',
        value: odd,
        timestamp: '1700000000123',
        headers: { trace: 'abc', empty: Buffer.alloc(0) },
      },
      { partition: 1, key: 'alice', value: null, timestamp: '1700000000124' },
      { partition: 0, key: null, value: '', timestamp: '1700000000001' },
    ]);
    const replica = replicate([topic]);
    await replica.has(topic, 3);
    const records = recordsOf(replica.log, topic).map(r => ({
      at: `${r.partition}@${r.offset}`,
      key: textOf(r.key),
      value: r.value === null ? null : [...r.value],
      timestamp: r.timestamp,
      headers: r.headers.map(h => [h.name, textOf(h.value)]),
    }));
    expect(records).toEqual([
      { at: '0@0', key: null, value: [], timestamp: 1700000000001, headers: [] },
      {
        at: '1@0',
        key: 'alice',
        value: [...odd],
        timestamp: 1700000000123,
        headers: [
          ['trace', 'abc'],
          ['empty', ''],
        ],
      },
      { at: '1@1', key: 'alice', value: null, timestamp: 1700000000124, headers: [] },
    ]);
    expect(replica.reports).toEqual([]);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    'is the same when the producer compresses by %s',
    async codec => {
      const topic = await topics.create(codec, 1);
      const dir = mkdtempSync(join(tmpdir(), 'millrace-codec-'));
      try {
        const lines = ['abc '.repeat(200), 'x'.repeat(5000), 'the quick brown fox '.repeat(30), 'tiny'];
        writeFileSync(join(dir, 'lines'), lines.join('\n'));
        runTool('org.apache.kafka.tools.ProducerPerformance', [
          ...['--topic', topic, '--num-records', '3000', '--throughput', '-1'],
          ...['--payload-file', join(dir, 'lines'), '--producer-props'],
          ...[`bootstrap.servers=${topics.settings.brokers[0]}`, `compression.type=${codec}`, 'linger.ms=20'],
        ]);
        const replica = replicate([topic]);
        await replica.has(topic, 3000);
        const values = new Set(recordsOf(replica.log, topic).map(r => textOf(r.value)));
        expect([...values].sort()).toEqual([...lines].sort());
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
  );

  it('are the last records of keys where Kafka has compacted, with the offsets they had', async () => {
    const topic = await topics.create('compacted', 1, {
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.01',
      'min.compaction.lag.ms': '0',
    });
    const versions = (from: number) => [0, 1, 2].map(i => ({ key: `k${i}`, value: `${from + i}` }));
    await topics.produce(topic, versions(0));
    await until('Kafka has compacted the topic', async () => {
      await topics.produce(topic, versions(100));
      const probe = replicate([topic]);
      await probe.caughtUp();
      const first = recordsOf(probe.log, topic)[0]?.offset ?? 0;
      await probe.stop();
      return first >= 3;
    });
    const replica = replicate([topic]);
    await replica.caughtUp();
    const records = recordsOf(replica.log, topic);
    const last = new Map(records.map(r => [textOf(r.key), textOf(r.value)]));
    expect([...last]).toEqual([
      ['k0', '100'],
      ['k1', '101'],
      ['k2', '102'],
    ]);
    expect(replica.replicator.status().topics[0]?.incomplete).toEqual([]);
  }, 60_000);
});

describe('transactions', () => {
  it('records of aborted ones are never seen, however producers interleave on a partition', async () => {
    const topic = await topics.create('transactions', 1);
    const producers = await Promise.all(
      [0, 1, 2].map(async i => {
        const producer = topics.kafka.producer({
          transactionalId: `${topic}-${i}`,
          idempotent: true,
          maxInFlightRequests: 1,
        });
        await producer.connect();
        return producer;
      }),
    );
    const committed: string[] = [];
    const round = async (producer: (typeof producers)[number], n: number, i: number): Promise<void> => {
      const transaction = await producer.transaction();
      const values: string[] = [];
      for (let part = 0; part < 3; part++) {
        const value = `${i}:${n}:${part}`;
        values.push(value);
        // keys of zero bytes look like markers to a reader that does not know better
        await transaction.send({ topic, messages: [{ key: Buffer.alloc(4), value }] });
      }
      if ((n + i) % 3 === 0) await transaction.abort();
      else {
        await transaction.commit();
        committed.push(...values);
      }
    };
    await Promise.all(
      producers.map(async (producer, i) => {
        for (let n = 0; n < 25; n++) await round(producer, n, i);
      }),
    );
    const replica = replicate([topic]);
    await replica.has(topic, committed.length);
    // a transaction that is open holds back what comes after it
    const openTransaction = await producers[0]!.transaction();
    await openTransaction.send({ topic, messages: [{ value: 'open' }] });
    await topics.produce(topic, [{ value: 'after' }]);
    await replica.caughtUp();
    expect(
      recordsOf(replica.log, topic)
        .map(r => textOf(r.value))
        .sort(),
    ).toEqual([...committed].sort());
    await openTransaction.abort();
    await replica.has(topic, committed.length + 1);
    expect(textOf(recordsOf(replica.log, topic).at(-1)?.value ?? null)).toBe('after');
    for (const producer of producers) await producer.disconnect();
  });
});

describe('the order', () => {
  it('while catching up is that of event time over all partitions, then partition', async () => {
    const topic = await topics.create('ordered', 8);
    const count = 40_000;
    await topics.produce(
      topic,
      Array.from({ length: count }, (_, i) => ({
        // the first half lies in partition 0, so that partitions are far apart
        partition: i < count / 2 ? 0 : i % 8,
        value: `${i}`,
        timestamp: `${1_700_000_000_000 + Math.floor(i / 3)}`,
      })),
    );
    const replica = replicate([topic]);
    await replica.has(topic, count);
    const places = recordsOf(replica.log, topic).map(r => [r.timestamp, r.partition, r.offset] as const);
    const sorted = places.toSorted((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    expect(places).toEqual(sorted);
  });
});

describe('the topics', () => {
  it('that Kafka gets later, and partitions that are added, are followed too', async () => {
    const first = await topics.create('growing', 1);
    const later = `${first}-later`;
    const replica = replicate([first, later]);
    await topics.produce(first, [{ value: 'one' }]);
    await replica.has(first, 1);
    expect(replica.replicator.status().notInKafka).toEqual([later]);
    await topics.createNamed(later, 1);
    await topics.admin(admin => admin.createPartitions({ topicPartitions: [{ topic: first, count: 3 }] }));
    await until('Kafka has the new partitions', async () => {
      const [found] = (await topics.admin(admin => admin.fetchTopicMetadata({ topics: [first] }))).topics;
      return found?.partitions.length === 3;
    });
    await topics.produce(first, [{ partition: 2, value: 'two' }]);
    await topics.produce(later, [{ value: 'three' }]);
    await replica.has(first, 2);
    await replica.has(later, 1);
    expect(replica.log.topic(first)).toMatchObject({ partitions: 3, ends: [1, 0, 1] });
  });

  it('that hold records of the log itself are left alone, and it is said why', async () => {
    const topic = await topics.create('own', 1);
    const replica = replicate([]);
    replica.log.createTopic({ name: topic, partitions: 1, keyIndex: false });
    replica.log.append({ records: [{ topic, key: null, value: Buffer.from('mine') }] });
    const second = replicate([topic], replica.log);
    await topics.produce(topic, [{ value: 'theirs' }]);
    const status = await until('the problem is told', () => second.replicator.status().topics[0]);
    expect(status).toMatchObject({ name: topic, problem: expect.stringContaining('records of its own') });
    expect(recordsOf(second.log, topic).map(r => textOf(r.value))).toEqual(['mine']);
  });
});

describe('what is missing', () => {
  const produceNumbers = (topic: string, from: number, to: number) =>
    topics.produce(
      topic,
      Array.from({ length: to - from }, (_, i) => ({ partition: 0, value: `${from + i}` })),
    );
  const deleteBefore = (topic: string, offset: number) =>
    topics.admin(async admin => {
      await admin.fetchTopicOffsets(topic); // kafkajs looks the leader up in what it has asked before
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: `${offset}` }] });
    });
  const incomplete = (replica: Replica) =>
    replica.replicator.status().topics.flatMap(t => t.incomplete.map(g => [g.from, g.to, g.reason]));
  const gapsInLog = (log: EventLog) =>
    recordsOf(log, GAPS_TOPIC).map(r => {
      const { from, to, reason } = JSON.parse(textOf(r.value) ?? '') as Record<string, unknown>;
      return [from, to, reason];
    });

  it('because Kafka had deleted it is written down, before and while following; the rest is here', async () => {
    const topic = await topics.create('deleted', 1);
    await produceNumbers(topic, 0, 100);
    await deleteBefore(topic, 40);
    const first = replicate([topic]);
    await first.has(topic, 60);
    expect(incomplete(first)).toEqual([[0, 40, 'retention']]);
    await first.stop();

    await produceNumbers(topic, 100, 200);
    await deleteBefore(topic, 150);
    const second = replicate([topic], first.log);
    await second.has(topic, 110);
    const gaps = [
      [0, 40, 'retention'],
      [100, 150, 'retention'],
    ];
    expect(incomplete(second)).toEqual(gaps);
    expect(gapsInLog(second.log)).toEqual(gaps);
    expect(recordsOf(second.log, topic).map(r => Number(textOf(r.value)))).toEqual([
      ...Array.from({ length: 60 }, (_, i) => 40 + i),
      ...Array.from({ length: 50 }, (_, i) => 150 + i),
    ]);
    expect(second.reports).toEqual([`${topic}/0 is incomplete: offsets 100 to 149 (retention)`]);
  });

  it('because the topic was made anew is written down: nothing is mixed into the old records', async () => {
    const topic = await topics.create('anew', 1);
    await produceNumbers(topic, 0, 50);
    const first = replicate([topic]);
    await first.has(topic, 50);
    await first.stop();
    await topics.admin(admin => admin.deleteTopics({ topics: [topic] }));
    await until('the topic is gone', async () => !(await topics.admin(a => a.listTopics())).includes(topic));
    await topics.createNamed(topic, 1);
    await produceNumbers(topic, 1000, 1010);
    const second = replicate([topic], first.log);
    await until('it is seen', () => incomplete(second).length > 0);
    expect(incomplete(second)).toEqual([[10, 50, 'replaced']]);
    expect(second.replicator.status().topics[0]?.problem).toContain('made anew');
    await second.stop();
    expect(recordsOf(second.log, topic).map(r => Number(textOf(r.value)))).toEqual(
      Array.from({ length: 50 }, (_, i) => i),
    );

    await produceNumbers(topic, 1010, 1060);
    const third = replicate([topic], first.log);
    await until('it is told again', () => third.replicator.status().topics[0]?.problem);
    expect(third.replicator.status().topics[0]).toMatchObject({ lag: null, partitions: 0 });
    expect(incomplete(third)).toEqual([[10, 50, 'replaced']]);
    await third.stop();
    expect(recordsOf(third.log, topic).length).toBe(50);
  });

  it('because the topic was made anew with more records is seen at the last one alone: it is marked as changed', async () => {
    const topic = await topics.create('grown', 1);
    await produceNumbers(topic, 0, 50);
    const first = replicate([topic]);
    await first.has(topic, 50);
    await first.stop();
    await topics.admin(admin => admin.deleteTopics({ topics: [topic] }));
    await until('the topic is gone', async () => !(await topics.admin(a => a.listTopics())).includes(topic));
    await topics.createNamed(topic, 1);
    await produceNumbers(topic, 1000, 1060);
    const second = replicate([topic], first.log);
    await second.has(topic, 60);
    expect(incomplete(second)).toEqual([[49, 50, 'changed']]);
    // what is not promised: the first fifty of the new ones are not here
    expect(recordsOf(second.log, topic).map(r => Number(textOf(r.value)))).toEqual([
      ...Array.from({ length: 50 }, (_, i) => i),
      ...Array.from({ length: 10 }, (_, i) => 1050 + i),
    ]);
  });

  it('because the log does not take so large a record is written down; the next ones are here', async () => {
    const topic = await topics.create('large', 1, { 'max.message.bytes': `${40 << 20}` });
    await topics.produce(topic, [{ value: 'before' }]);
    await topics.produce(topic, [{ value: Buffer.alloc(17 << 20, 'x') }]);
    await topics.produce(topic, [{ value: Buffer.alloc(3 << 20, 'y') }, { value: 'after' }]);
    const replica = replicate([topic]);
    await replica.has(topic, 3);
    expect(recordsOf(replica.log, topic).map(r => r.offset)).toEqual([0, 2, 3]);
    expect(incomplete(replica)).toEqual([[1, 2, 'too_large']]);
  });
});
