import { secondDomain } from '../pipelines/second-domain.contract.ts';
import { sharedBroker } from '../servers/shared-broker.ts';
import { Topics } from './topics.ts';

secondDomain('topics of Kafka', async () => {
  const topics = new Topics((await sharedBroker()).address);
  for (const topic of ['orders', 'inventory']) await topics.createNamed(topic, 4);
  return {
    yaml: { 'kafka.yaml': `kafka:\n  brokers: ["${topics.settings.brokers[0]}"]\n` },
    produce: (_, topic, records) =>
      topics.produce(
        topic,
        records.map(({ key, value }) => ({ key, value: JSON.stringify(value) })),
      ),
  };
});
