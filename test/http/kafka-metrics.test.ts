import { expect, it, onTestFinished } from 'vitest';
import type { KafkaFigures } from '../../src/http/ports.ts';
import { httpFixture } from './http-fixture.ts';

async function metricsOf(figures: KafkaFigures): Promise<string[]> {
  const plain = await httpFixture();
  const { status } = plain.ports;
  await plain.close();
  const http = await httpFixture({ ports: { status: { ...status, kafka: () => figures } } });
  onTestFinished(() => http.close());
  const { body } = await http.get('/metrics');
  return body.split('\n').filter(line => line.startsWith('millrace_kafka'));
}

const NOTHING: KafkaFigures = { up: true, topics: [], commands: null, outputs: [] };

it('metrics of Kafka tell what each partition lacks, what waits for handlers, and how far outputs are', async () => {
  expect(
    await metricsOf({
      up: true,
      topics: [{ topic: 'orders', lags: [3, null, 0], gaps: 1 }],
      commands: [
        { partition: 0, lag: 0 },
        { partition: 1, lag: 7 },
      ],
      outputs: [
        { topic: 'large', state: 'writing', lag: 2 },
        { topic: 'other', state: 'refused', lag: null },
      ],
    }),
  ).toEqual([
    'millrace_kafka_up 1',
    'millrace_kafka_lag{topic="orders",partition="0"} 3',
    'millrace_kafka_lag{topic="orders",partition="2"} 0',
    'millrace_kafka_incomplete{topic="orders"} 1',
    'millrace_kafka_commands_lag{partition="0"} 0',
    'millrace_kafka_commands_lag{partition="1"} 7',
    'millrace_kafka_output_lag{topic="large"} 2',
    'millrace_kafka_output_up{topic="large"} 1',
    'millrace_kafka_output_up{topic="other"} 0',
  ]);
});

it('metrics of Kafka do not grow with the partitions of a large cluster', async () => {
  const topics = Array.from({ length: 20 }, (_, i) => ({
    topic: `t${i}`,
    lags: new Array<number>(100).fill(2),
    gaps: 0,
  }));
  const lines = (await metricsOf({ ...NOTHING, topics })).filter(l => l.startsWith('millrace_kafka_lag'));
  expect(lines).toHaveLength(20);
  expect(lines[3]).toBe('millrace_kafka_lag{topic="t3",partition="all"} 200');
});

it('there are none without Kafka', async () => {
  const http = await httpFixture();
  onTestFinished(() => http.close());
  expect((await http.get('/metrics')).body).not.toContain('millrace_kafka');
});
