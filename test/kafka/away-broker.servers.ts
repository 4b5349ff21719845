import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Broker } from '../servers/kafka-broker.ts';
import { until } from '../until.ts';
import { Replica, recordsOf, textOf } from './replica.ts';
import { Topics } from './topics.ts';

it('a broker that is away is reported, what is here is read, and when it is back all comes in order', async () => {
  const dir = join(mkdtempSync(join(tmpdir(), 'millrace-away-')), 'broker');
  const first = await Broker.start({ dir });
  const topics = new Topics(first.address);
  const topic = await topics.create('away', 3);
  const produce = (from: number, to: number) =>
    topics.produce(
      topic,
      Array.from({ length: to - from }, (_, i) => ({
        partition: (from + i) % 3,
        value: `${from + i}`,
        timestamp: `${1_700_000_000_000 + from + i}`,
      })),
    );
  await produce(0, 300);
  const replica = new Replica(topics.settings, [topic]);
  try {
    await replica.has(topic, 300);
    await first.kill();
    const away = await until('it is seen', () => {
      const status = replica.replicator.status();
      return status.state === 'away' ? status : null;
    });
    expect(away.awaySince).toBeGreaterThan(0);
    expect(away.topics).toMatchObject([{ name: topic, lag: null, problem: null }]);
    expect(recordsOf(replica.log, topic)).toHaveLength(300);
    await Broker.start({ dir });
    await produce(300, 600);
    await replica.has(topic, 600, 30_000);
    await replica.caughtUp();
    expect(recordsOf(replica.log, topic).map(r => Number(textOf(r.value)))).toEqual(
      Array.from({ length: 600 }, (_, i) => i),
    );
    expect(replica.reports.map(r => r.split(' ').slice(0, 2).join(' '))).toEqual([
      `Kafka (${first.address})`,
      'Kafka is',
    ]);
  } finally {
    await replica.stop();
    await Broker.wipe(dir);
  }
});

it('a node that starts before its broker waits for it', async () => {
  const dir = join(mkdtempSync(join(tmpdir(), 'millrace-late-')), 'broker');
  const first = await Broker.start({ dir });
  const topics = new Topics(first.address);
  const topic = await topics.create('late', 1);
  await topics.produce(topic, [{ value: 'here' }]);
  await first.kill();
  const replica = new Replica(topics.settings, [topic]);
  try {
    await until('it is seen', () => replica.replicator.status().state === 'away');
    await Broker.start({ dir });
    await replica.has(topic, 1);
  } finally {
    await replica.stop();
    await Broker.wipe(dir);
  }
});
