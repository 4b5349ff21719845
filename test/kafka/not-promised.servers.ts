import { randomBytes } from 'node:crypto';
import type { Producer } from 'kafkajs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sharedBroker } from '../servers/shared-broker.ts';
import { until } from '../until.ts';
import { Replica, recordsOf, textOf } from './replica.ts';
import { Topics } from './topics.ts';

/** What Kafka's protocol and its client do by themselves, and why more is done here: docs/kafka.md names each. */
let topics: Topics;
const open: { disconnect(): Promise<void> }[] = [];

beforeAll(async () => {
  topics = new Topics((await sharedBroker()).address);
});

afterEach(async () => {
  for (const one of open.splice(0)) await one.disconnect();
});

const name = () => `not-promised-${randomBytes(4).toString('hex')}`;

async function producer(transactionalId: string): Promise<Producer> {
  const made = topics.kafka.producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    retry: { retries: 2 },
  });
  await made.connect();
  open.push(made);
  return made;
}

/** What the client does not try again by itself is tried again. */
async function commit(by: Producer, topic: string, value: string, group?: string): Promise<void> {
  await until(`${value} is committed`, async () => {
    const transaction = await by.transaction();
    try {
      await transaction.send({ topic, messages: [{ key: 'k', value }] });
      if (group !== undefined) {
        await transaction.sendOffsets({
          consumerGroupId: group,
          topics: [{ topic, partitions: [{ partition: 0, offset: '1' }] }],
        });
      }
      await transaction.commit();
      return true;
    } catch (error) {
      if (!(error as { retriable?: boolean }).retriable) throw error;
      await transaction.abort();
      return false;
    }
  });
}

async function committed(topic: string, least: number): Promise<(string | null)[]> {
  const replica = new Replica(topics.settings, [topic]);
  try {
    await replica.has(topic, least);
    await replica.caughtUp();
    return recordsOf(replica.log, topic).map(r => textOf(r.value));
  } finally {
    await replica.stop();
  }
}

describe('the client', () => {
  it('does not fence a producer by connecting another one with its id, but by the first transaction', async () => {
    const topic = await topics.create('fenced', 1);
    const id = name();
    const old = await producer(id);
    await commit(old, topic, 'old, alone');
    const next = await producer(id);
    await commit(old, topic, 'old, although the next one has connected');
    await commit(next, topic, 'next');
    await expect(commit(old, topic, 'old, fenced')).rejects.toThrow();
    expect(await committed(topic, 3)).toEqual([
      'old, alone',
      'old, although the next one has connected',
      'next',
    ]);
  });

  it('commits offsets of a group that it is no member of: who works from an old position does the work twice', async () => {
    const topic = await topics.create('stale', 1);
    const group = name();
    const [one, other] = [await producer(name()), await producer(name())];
    await commit(one, topic, 'the effect of offset 0', group);
    await commit(other, topic, 'the effect of offset 0', group);
    expect(await committed(topic, 2)).toEqual(['the effect of offset 0', 'the effect of offset 0']);
  });

  it('shows records of an aborted transaction that another one overtook: its filter is not used', async () => {
    const topic = await topics.create('aborted', 1);
    const [one, other, good] = [await producer(name()), await producer(name()), await producer(name())];
    const [first, second] = [await one.transaction(), await other.transaction()];
    await first.send({ topic, messages: [{ value: 'aborted, begun first' }] });
    await second.send({ topic, messages: [{ value: 'aborted, begun second' }] });
    await second.abort();
    await first.abort();
    await commit(good, topic, 'kept');
    expect(await committed(topic, 1)).toEqual(['kept']);

    const seen: string[] = [];
    const consumer = topics.kafka.consumer({ groupId: name(), readUncommitted: false, maxWaitTimeInMs: 50 });
    await consumer.connect();
    open.push(consumer);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) });
    await until('the client has read to the end', () => seen.includes('kept'));
    expect(seen).toEqual(['aborted, begun first', 'kept']);
  });
});

describe('two nodes', () => {
  it('have the records of a partition in the same order, and those of two topics as they came to each', async () => {
    const [first, second] = [await topics.create('first', 1), await topics.create('second', 1)];
    const send = (topic: string, value: string, timestamp: number) =>
      topics.produce(topic, [{ value, timestamp: String(timestamp) }]);
    const order = ({ log }: Replica) =>
      [...recordsOf(log, first), ...recordsOf(log, second)]
        .sort((a, b) => a.seq - b.seq)
        .map(r => textOf(r.value));
    const early = new Replica(topics.settings, [first, second]);
    try {
      // what happened later is sent earlier
      await send(second, 'at noon', 12_000);
      await early.has(second, 1);
      await send(first, 'at ten', 10_000);
      await early.has(first, 1);
      const late = new Replica(topics.settings, [first, second]);
      try {
        await late.has(second, 1);
        await late.has(first, 1);
        expect(order(early)).toEqual(['at noon', 'at ten']);
        expect(order(late)).toEqual(['at ten', 'at noon']); // caught up in order of event time
      } finally {
        await late.stop();
      }
    } finally {
      await early.stop();
    }
  });
});
