import { beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createMissingTopics } from '../../src/kafka/command-topics.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { partitionOf } from '../../src/log/murmur2.ts';
import { bytes, request } from '../commands/counter.ts';
import { commandsContract } from '../contract/commands.contract.ts';
import { sharedBroker } from '../servers/shared-broker.ts';
import { until } from '../until.ts';
import { counterNamed, startCounterNode } from './counter-node.ts';
import { Topics } from './topics.ts';

let topics: Topics;
let made = 0;

beforeAll(async () => {
  topics = new Topics((await sharedBroker()).address);
});

it('what is not promised: one id for two entities counts once per partition', async () => {
  const name = `counter-${process.pid}-${made++}`;
  const { entity, resultsTopic } = counterNamed(name);
  const { commands, events, snapshots } = entity.topics;
  await createMissingTopics(
    topics.kafka,
    [commands, events, snapshots, resultsTopic].map(t => ({ name: t, partitions: 4, config: {} })),
  );
  const place = (id: string) => partitionOf(bytes(id), 4);
  const a = 'e-0';
  const b = ['e-1', 'e-2', 'e-3', 'e-4', 'e-5'].find(id => place(id) !== place(a)) ?? '';
  const node = startCounterNode(createMemoryLog({ clock: systemClock }), topics.settings, name);
  try {
    const value = '{"type":"Add","commandId":"same","data":{"by":1}}';
    await topics.produce(commands, [
      { key: a, value },
      { key: b, value },
    ]);
    await until('both were handled', () => node.log.topic(events)?.records === 2);
    await topics.produce(commands, [{ key: a, value }]);
    await node.commands.submit(request(a, { by: 1 }));
    expect(node.log.topic(events)?.records).toBe(3);
  } finally {
    await node.close();
  }
});

const PARTITIONS = 4;

commandsContract('Kafka, four partitions', async () => {
  const name = `counter-${process.pid}-${made++}`;
  const { entity, resultsTopic } = counterNamed(name);
  const { commands, events, snapshots } = entity.topics;
  await createMissingTopics(
    topics.kafka,
    [commands, events, snapshots, resultsTopic].map(t => ({ name: t, partitions: PARTITIONS, config: {} })),
  );
  const open: { close(): Promise<void> }[] = [];
  return {
    entity,
    resultsTopic,
    // each node has its own log: what it knows it has from Kafka
    async open(options) {
      const node = startCounterNode(createMemoryLog({ clock: systemClock }), topics.settings, name, options);
      open.push(node);
      return node;
    },
    put: (value, key = 'a') => topics.produce(commands, [{ key, value }]),
    async dispose() {
      for (const node of open) await node.close();
    },
  };
});
