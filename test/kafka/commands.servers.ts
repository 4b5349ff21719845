import { beforeAll } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createMissingTopics } from '../../src/kafka/command-topics.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { commandsContract } from '../contract/commands.contract.ts';
import { sharedBroker } from '../servers/shared-broker.ts';
import { counterNamed, startCounterNode } from './counter-node.ts';
import { Topics } from './topics.ts';

let topics: Topics;
let made = 0;

beforeAll(async () => {
  topics = new Topics((await sharedBroker()).address);
});

for (const partitions of [1, 4]) {
  commandsContract(`Kafka, ${partitions} partition(s)`, async () => {
    const name = `counter-${process.pid}-${made++}`;
    const { entity, resultsTopic } = counterNamed(name);
    const { commands, events, snapshots } = entity.topics;
    await createMissingTopics(
      topics.kafka,
      [commands, events, snapshots, resultsTopic].map(t => ({ name: t, partitions, config: {} })),
    );
    const open: { close(): Promise<void> }[] = [];
    return {
      entity,
      resultsTopic,
      // each node has its own log: what it knows it has from Kafka
      async open(options) {
        const node = startCounterNode(
          createMemoryLog({ clock: systemClock }),
          topics.settings,
          name,
          options,
        );
        open.push(node);
        return node;
      },
      put: (value, key = 'a') => topics.produce(commands, [{ key, value }]),
      async dispose() {
        for (const node of open) await node.close();
      },
    };
  });
}
