import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type KafkaConfig, loadConfig } from '../../src/config.ts';
import { kafkaSettings } from '../../src/replicated-topics.ts';
import { Broker, runTool } from '../servers/kafka-broker.ts';
import { until } from '../until.ts';
import { Replica, recordsOf, textOf } from './replica.ts';
import { Topics } from './topics.ts';

/** A broker with a certificate and with users, and beside it the open listener through which the test speaks. */
let folder: string;
let broker: Broker;
let topics: Topics;
let topic: string;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}

function keytool(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync('keytool', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`keytool failed:\n${stdout}${stderr}`);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-secured-'));
  const keys = join(folder, 'keys.p12');
  const store = ['-keystore', keys, '-storetype', 'PKCS12', '-storepass', 'secret-store', '-alias', 'broker'];
  keytool(
    ...['-genkeypair', '-keyalg', 'EC', '-dname', 'CN=broker', '-ext', 'san=ip:127.0.0.1', '-validity', '30'],
    ...store,
  );
  keytool('-exportcert', '-rfc', '-file', join(folder, 'ca.pem'), ...store);
  const [secured, open, controller] = [await freePort(), await freePort(), await freePort()];
  const listeners = `SECURED://127.0.0.1:${secured},PLAINTEXT://127.0.0.1:${open}`;
  const users = 'org.apache.kafka.common.security';
  broker = await Broker.start({
    dir: join(folder, 'broker'),
    properties: {
      listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      'advertised.listeners': listeners,
      'listener.security.protocol.map': 'SECURED:SASL_SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
      'listener.name.secured.plain.sasl.jaas.config': `${users}.plain.PlainLoginModule required user_alice="wonder";`,
      'listener.name.secured.scram-sha-256.sasl.jaas.config': `${users}.scram.ScramLoginModule required;`,
      'listener.name.secured.ssl.keystore.location': keys,
      'listener.name.secured.ssl.keystore.password': 'secret-store',
      'listener.name.secured.ssl.keystore.type': 'PKCS12',
    },
  });
  topics = new Topics(`127.0.0.1:${open}`);
  topic = await topics.create('secured', 1);
  await topics.produce(topic, [{ value: 'seen' }]);
  runTool('kafka.admin.ConfigCommand', [
    ...[
      '--bootstrap-server',
      `127.0.0.1:${open}`,
      '--alter',
      '--entity-type',
      'users',
      '--entity-name',
      'bob',
    ],
    ...['--add-config', 'SCRAM-SHA-256=[password=builder]'],
  ]);
});

afterAll(async () => {
  await Broker.wipe(join(folder, 'broker'));
});

function configured(lines: readonly string[]): KafkaConfig {
  const pipelines = join(folder, 'pipelines');
  mkdirSync(pipelines, { recursive: true });
  const text = ['kafka:', `  brokers: ["${broker.address}"]`, ...lines.map(line => `  ${line}`)].join('\n');
  writeFileSync(join(pipelines, 'kafka.yaml'), text);
  const { kafka } = loadConfig(pipelines, folder);
  return kafka!;
}

async function reads(lines: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const replica = new Replica(kafkaSettings(configured(lines), env), [topic]);
  try {
    await replica.has(topic, 1);
    expect(recordsOf(replica.log, topic).map(r => textOf(r.value))).toEqual(['seen']);
  } finally {
    await replica.stop();
  }
}

it('is read over TLS as a user with a password from the environment', async () => {
  await reads(
    ['tls: { ca: ../ca.pem }', 'sasl: { mechanism: plain, username: alice, password: $KAFKA_PASSWORD }'],
    { KAFKA_PASSWORD: 'wonder' },
  );
});

it('is read as a user whose password is never sent (SCRAM)', async () => {
  await reads(
    ['tls: { ca: ../ca.pem }', 'sasl: { mechanism: scram-sha-256, username: bob, password: builder }'],
    {},
  );
});

it.each([
  [
    'a wrong password',
    ['tls: { ca: ../ca.pem }', 'sasl: { mechanism: plain, username: alice, password: no }'],
  ],
  [
    'a certificate that nobody vouches for',
    ['tls: true', 'sasl: { mechanism: plain, username: alice, password: wonder }'],
  ],
  ['no TLS at all', ['sasl: { mechanism: plain, username: alice, password: wonder }']],
])('%s is told, and nothing is read', async (_, lines) => {
  const replica = new Replica(kafkaSettings(configured(lines), {}), [topic]);
  try {
    const { error } = await until('it is told', () => {
      const status = replica.replicator.status();
      return status.state === 'away' ? status : null;
    });
    expect(error).not.toBe('');
    expect(replica.log.topic(topic)).toBeNull();
  } finally {
    await replica.stop();
  }
});
