import { randomBytes } from 'node:crypto';
import { ConfigResourceTypes } from 'kafkajs';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createMissingTopics, keptTooShort } from '../../src/kafka/command-topics.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { request } from '../commands/counter.ts';
import { sharedBroker } from '../servers/shared-broker.ts';
import { until } from '../until.ts';
import { counterNamed, startCounterNode } from './counter-node.ts';
import { recordsOf, textOf } from './replica.ts';
import { Topics } from './topics.ts';

const PARTITIONS = 4;
let topics: Topics;

beforeAll(async () => {
  topics = new Topics((await sharedBroker()).address);
});

/** Topics of a counter that nobody has yet. */
async function counterTopics() {
  const name = `joining-${randomBytes(4).toString('hex')}`;
  const { entity, resultsTopic } = counterNamed(name);
  const { commands, events, snapshots } = entity.topics;
  await createMissingTopics(
    topics.kafka,
    [commands, events, snapshots, resultsTopic].map(t => ({ name: t, partitions: PARTITIONS, config: {} })),
  );
  return { name, commands, events, resultsTopic };
}

function node(name: string, options: Parameters<typeof startCounterNode>[3] = {}) {
  const started = startCounterNode(createMemoryLog({ clock: systemClock }), topics.settings, name, options);
  onTestFinished(() => started.close());
  return started;
}

it('takes no partition before its log has caught up; until then the others go on', async () => {
  const { name } = await counterTopics();
  const first = node(name);
  await until('the first one has all partitions', () => first.commands.partitions.length === PARTITIONS);
  const entities = Array.from({ length: 20 }, (_, i) => `e-${i}`);
  for (const id of entities) await first.commands.submit(request(id, { by: 1 }));

  let copied = false;
  let looks = 0;
  const second = node(name, {
    reached: (reached, topic, partition) => {
      looks++;
      return copied ? reached(topic, partition) : 0;
    },
  });
  await until('it waits for its log', () => looks > 20);
  for (const id of entities) await first.commands.submit(request(id, { by: 1 }));
  expect(second.commands.partitions).toEqual([]);
  expect(first.commands.partitions).toHaveLength(PARTITIONS);

  copied = true;
  await until('it has its share', () => second.commands.partitions.length === PARTITIONS / 2, 30_000);
  for (const [i, id] of entities.entries()) {
    const via = i % 2 === 0 ? first : second;
    expect(await via.commands.submit(request(id, { by: 1 }))).toMatchObject({ version: 3 });
  }
});

it('leaves its partitions to the others when its log is not copied any further, and comes back when it is', async () => {
  const { name } = await counterTopics();
  const lost = new Set<string>();
  const first = node(name, {
    patience: 3_000,
    reached: (reached, topic, partition) => (lost.has(topic) ? 0 : reached(topic, partition)),
  });
  await until('it has all partitions', () => first.commands.partitions.length === PARTITIONS);
  const second = node(name);
  const share = PARTITIONS / 2;
  const shared = () => [first, second].every(({ commands }) => commands.partitions.length === share);
  await until('they share them', shared);
  const entities = Array.from({ length: 20 }, (_, i) => `e-${i}`);
  for (const id of entities) await second.commands.submit(request(id, { by: 1 }));

  lost.add(`${name}-events`);
  await until('the other one has them', () => second.commands.partitions.length === PARTITIONS);
  expect(first.commands.partitions).toEqual([]);
  expect(first.errors.map(String).join()).toMatch(/leaves the handlers of commands/);
  for (const id of entities) {
    expect(await second.commands.submit(request(id, { by: 1 }))).toMatchObject({ version: 2 });
  }

  lost.clear();
  await until('they share them again', shared);
});

it('a group that Kafka knows nothing of begins behind what has results', async () => {
  const { name, events, resultsTopic } = await counterTopics();
  const first = node(name);
  for (let i = 0; i < 20; i++) await first.commands.submit(request(`e-${i % 5}`, { by: 1 }));
  await first.close();
  const again = node(name, { group: `${name}-renamed`, keepResultsFor: 0 });
  expect(await again.commands.submit(request('e-0', { by: 1 }))).toMatchObject({ version: 5 });
  expect([again.log.topic(events)?.records, again.log.topic(resultsTopic)?.records]).toEqual([21, 21]);
});

it('commands that Kafka has deleted before anybody handled them are written down; those that are there are handled', async () => {
  const { name, commands, events } = await counterTopics();
  const value = (by: number) => JSON.stringify({ type: 'Add', data: { by } });
  await topics.produce(
    commands,
    [1, 2, 3, 4].map(by => ({ partition: 2, key: `e-${by}`, value: value(by) })),
  );
  await topics.admin(async admin => {
    await admin.fetchTopicOffsets(commands);
    await admin.deleteTopicRecords({ topic: commands, partitions: [{ partition: 2, offset: '3' }] });
  });
  const only = node(name);
  await until('the last one is handled', () => only.log.topic(events)?.records === 1);
  expect(recordsOf(only.log, events).map(r => textOf(r.key))).toEqual(['e-4']);
  const status = only.replicator.status().topics.find(t => t.name === commands);
  expect(status?.incomplete).toMatchObject([{ partition: 2, from: 0, to: 3, reason: 'retention' }]);
});

it('topics that are made are kept as long as is asked; one that is kept for less is told', async () => {
  const name = `kept-${randomBytes(4).toString('hex')}`;
  const wanted = [
    { name, partitions: 1, config: { 'retention.ms': '-1', 'retention.bytes': '-1' } },
    { name: `${name}-week`, partitions: 1, config: { 'retention.ms': '604800000' } },
  ];
  await createMissingTopics(topics.kafka, wanted);
  const found = await topics.admin(admin =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name, configNames: ['retention.ms'] }],
    }),
  );
  expect(found.resources[0]?.configEntries[0]?.configValue).toBe('-1');
  expect(await keptTooShort(topics.kafka, wanted)).toEqual([]);
  const longer = wanted.map(t => ({ ...t, config: { 'retention.ms': '-1' } }));
  expect(await keptTooShort(topics.kafka, longer)).toEqual([
    `Kafka keeps the records of ${name}-week for 7 days, which is too short: set retention.ms=-1 (for ever) for this topic`,
  ]);
});
