import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { classPath } from './jars.ts';

/** ms until a broker must answer */
const START = 60_000;
/** ms that it may take to stop by itself */
const STOP = 20_000;

/** A Kafka of one node (KRaft) in a folder of its own, on this machine only. */
export class Broker {
  readonly address: string;
  readonly #process: ChildProcess;

  private constructor(address: string, process: ChildProcess) {
    this.address = address;
    this.#process = process;
  }

  static async start(dir: string): Promise<Broker> {
    const [port, controller] = [await freePort(), await freePort()];
    mkdirSync(dir, { recursive: true });
    const properties = join(dir, 'server.properties');
    writeFileSync(properties, settings(dir, port, controller));
    const jvm = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', classPath('broker')];
    const id = 'MillraceBenchCluster00'; // 22 characters of base64: 16 bytes
    const format = spawnSync(
      'java',
      [...jvm, 'kafka.tools.StorageTool', 'format', '--cluster-id', id, '--config', properties],
      { encoding: 'utf8' },
    );
    if (format.status !== 0) throw new Error(`the broker's folder cannot be made:\n${format.stderr}`);
    const child = spawn('java', ['-Xms256m', '-Xmx512m', ...jvm, 'kafka.Kafka', properties], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', chunk => {
      said = (said + String(chunk)).slice(-4_000);
    });
    for (const until = performance.now() + START; ; await pause(200)) {
      if (child.exitCode !== null) throw new Error(`the broker ended:\n${said}`);
      if (await answers(port)) return new Broker(`127.0.0.1:${port}`, child);
      if (performance.now() > until) {
        child.kill('SIGKILL');
        throw new Error(`the broker does not answer:\n${said}`);
      }
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP);
    await ended;
    clearTimeout(timer);
  }
}

function settings(dir: string, port: number, controller: number): string {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names=CONTROLLER',
    'inter.broker.listener.name=PLAINTEXT',
    `log.dirs=${join(dir, 'data')}`,
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    'log.retention.ms=-1',
    '',
  ].join('\n');
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
