import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fetchJars } from './maven-jars.ts';

/** ms until a broker must answer */
const START = 60_000;
/** ms that it may take to stop by itself */
const STOP = 20_000;
/** 22 characters of base64: 16 bytes */
const CLUSTER = 'MillraceTestCluster000';

const root = resolve(import.meta.dirname, '..', '..');
const jars = join(root, '.cache', 'kafka-jars-4.3.1');

export interface BrokerOptions {
  /** data, settings and log of the broker; made when it is not there */
  readonly dir: string;
  /** default: any free one, kept for later starts in the same folder */
  readonly port?: number;
  /** settings that replace those below, by name */
  readonly properties?: Readonly<Record<string, string>>;
}

/**
 * A Kafka of one node (KRaft) in a folder of its own, on this machine only. It goes on after the process that started it:
 * `Broker.at` finds it again by its folder.
 */
export class Broker {
  readonly dir: string;
  readonly address: string;
  readonly pid: number;

  private constructor(dir: string, address: string, pid: number) {
    this.dir = dir;
    this.address = address;
    this.pid = pid;
  }

  /** The broker that runs in a folder, or null. */
  static at(dir: string): Broker | null {
    const file = join(dir, 'broker.pid');
    if (!existsSync(file)) return null;
    const pid = Number(readFileSync(file, 'utf8'));
    return runsWith(pid, join(dir, 'server.properties')) ? new Broker(dir, addressIn(dir), pid) : null;
  }

  /** Starts a broker, or finds the one that runs in the folder. */
  static async start(options: BrokerOptions): Promise<Broker> {
    const dir = resolve(options.dir);
    const running = Broker.at(dir);
    if (running !== null) return running;
    fetchJars(join(import.meta.dirname, 'kafka-pom.xml'), jars);
    mkdirSync(dir, { recursive: true });
    const path = join(dir, 'server.properties');
    if (!existsSync(path) || options.port !== undefined || options.properties !== undefined) {
      const port = options.port ?? (existsSync(path) ? portIn(dir) : await freePort());
      const all = { ...settings(dir, port, await freePort()), ...options.properties };
      writeFileSync(
        path,
        Object.entries(all)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
      );
    }
    if (!existsSync(join(dir, 'data', 'meta.properties'))) format(path);
    const log = openSync(join(dir, 'broker.log'), 'a');
    const child = spawn('java', ['-Xms256m', '-Xmx512m', ...JVM, 'kafka.Kafka', path], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    child.unref();
    if (child.pid === undefined)
      throw new Error('java cannot be run: a Java of version 17 or later is needed');
    writeFileSync(join(dir, 'broker.pid'), String(child.pid));
    const said = () => readFileSync(join(dir, 'broker.log'), 'utf8').slice(-4_000);
    for (const until = performance.now() + START; ; await pause(50)) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the broker ended:\n${said()}`);
      if (await answers(portIn(dir))) return new Broker(dir, addressIn(dir), child.pid);
      if (performance.now() > until) {
        process.kill(child.pid, 'SIGKILL');
        throw new Error(`the broker does not answer:\n${said()}`);
      }
    }
  }

  async stop(): Promise<void> {
    this.#signal('SIGTERM');
    if (await this.#gone(STOP)) return;
    await this.kill();
  }

  /** As a machine that fails: no word to anybody. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#gone(STOP);
  }

  /** Stops the broker of a folder and forgets all that it held. */
  static async wipe(dir: string): Promise<void> {
    await Broker.at(dir)?.kill(); // nothing of it is kept: it need not end well
    rmSync(dir, { recursive: true, force: true });
  }

  #signal(name: NodeJS.Signals): void {
    if (runsWith(this.pid, join(this.dir, 'server.properties'))) process.kill(this.pid, name);
  }

  async #gone(ms: number): Promise<boolean> {
    for (const until = performance.now() + ms; performance.now() < until; await pause(20)) {
      if (!runsWith(this.pid, join(this.dir, 'server.properties'))) return true;
    }
    return false;
  }
}

const JVM = [
  '-XX:TieredStopAtLevel=4',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-cp',
  join(jars, '*'),
];

/** Runs a program of Kafka's own and gives what it says. */
export function runTool(main: string, args: readonly string[]): string {
  const ran = spawnSync('java', ['-XX:TieredStopAtLevel=1', ...JVM, main, ...args], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`${main} failed:\n${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

function format(properties: string): void {
  const made = spawnSync(
    'java',
    [
      '-XX:TieredStopAtLevel=1',
      ...JVM,
      'kafka.tools.StorageTool',
      'format',
      '--cluster-id',
      CLUSTER,
      '--config',
      properties,
      '--ignore-formatted',
    ],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`the broker's folder cannot be made:\n${made.stderr}`);
}

/** For one node; times are short, so that what a broker waits for is soon over in tests. */
function settings(dir: string, port: number, controller: number): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(dir, 'data'),
    'auto.create.topics.enable': 'false',
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'group.min.session.timeout.ms': '1000',
    'group.initial.rebalance.delay.ms': '0',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'log.cleaner.dedupe.buffer.size': '16777216',
    'log.cleaner.backoff.ms': '500',
    'log.retention.check.interval.ms': '1000',
    'log.retention.ms': '-1',
  };
}

const settingIn = (dir: string, name: string): string =>
  readFileSync(join(dir, 'server.properties'), 'utf8')
    .split('\n')
    .find(line => line.startsWith(`${name}=`))
    ?.slice(name.length + 1) ?? '';

const addressIn = (dir: string): string =>
  settingIn(dir, 'advertised.listeners').split(',')[0]?.split('://')[1] ?? '';
const portIn = (dir: string): number => Number(addressIn(dir).split(':')[1]);

/** Whether a process is the JVM with these settings: a number that was given to another process must not count. */
function runsWith(pid: number, properties: string): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const { stdout } = spawnSync('ps', ['-o', 'state=,args=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.includes(properties) && !stdout.startsWith('Z');
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
