import { Kafka, logLevel } from 'kafkajs';
import { expect, it } from 'vitest';
import { Broker } from './kafka-broker.ts';
import { sharedBroker } from './shared-broker.ts';

it('a broker that was killed comes back with what it held, at the same address', async () => {
  const dir = `${(await sharedBroker()).dir}/killed`;
  await Broker.wipe(dir);
  const first = await Broker.start({ dir });
  try {
    const admin = new Kafka({ brokers: [first.address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 3 }] });
    await admin.disconnect();
    await first.kill();
    expect(Broker.at(dir)).toBeNull();

    const second = await Broker.start({ dir });
    expect(second.address).toBe(first.address);
    const again = new Kafka({ brokers: [second.address], logLevel: logLevel.NOTHING }).admin();
    await again.connect();
    expect(await again.listTopics()).toContain('kept');
    await again.disconnect();
  } finally {
    await Broker.wipe(dir);
  }
});
