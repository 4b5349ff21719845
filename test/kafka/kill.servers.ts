import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Producer } from 'kafkajs';
import { afterAll, beforeAll } from 'vitest';
import { projectRoot } from '../../src/config.ts';
import { killsUnderLoad } from '../faults/kill.contract.ts';
import { Broker } from '../servers/kafka-broker.ts';
import { Topics } from './topics.ts';

/** Topics of the load that live in Kafka; commands stay in the log of the server. */
const TOPICS = ['text-lines', 'page-views', 'authorization-attempts', 'inventory', 'orders'];
const dir = resolve(import.meta.dirname, '../../.cache', `test-kafka-killed-${process.pid}`);

let broker: Broker;
let project: string;
let producer: Producer;

// a broker of its own: the names of the topics are those of the shipped views
beforeAll(async () => {
  broker = await Broker.start({ dir });
  const topics = new Topics(broker.address);
  for (const topic of TOPICS) await topics.createNamed(topic, 3);
  producer = topics.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  project = mkdtempSync(join(tmpdir(), 'millrace-killed-'));
  mkdirSync(join(project, 'pipelines'));
  cpSync(join(projectRoot, 'pipelines'), join(project, 'pipelines'), { recursive: true });
  for (const folder of ['src', 'node_modules']) symlinkSync(join(projectRoot, folder), join(project, folder));
  writeFileSync(join(project, 'pipelines', 'kafka.yaml'), `kafka:\n  brokers: ["${broker.address}"]\n`);
});

afterAll(async () => {
  await producer?.disconnect();
  await Broker.wipe(dir);
  rmSync(project, { recursive: true, force: true });
});

killsUnderLoad('records in Kafka', process.env.MILLRACE_LONG === '1' ? 50 : 4, async () => ({
  pipelines: join(project, 'pipelines'),
  async produce(topic, key, value) {
    await producer.send({ topic, messages: [{ key, value: JSON.stringify(value) }] });
  },
  async allHere(url) {
    const { kafka } = (await (await fetch(`${url}/status`)).json()) as {
      kafka: { state: string; topics: { name: string; lag: number }[] };
    };
    const copied = kafka.topics.filter(t => TOPICS.includes(t.name) && t.lag === 0);
    return kafka.state === 'following' && copied.length === TOPICS.length;
  },
}));
