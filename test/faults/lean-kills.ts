import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultPoint } from '../../src/core/fault-points.ts';
import { expectWhole } from './lean-check.ts';
import { skewedClock } from './lean-clock.ts';
import { numbers } from './lean-load.ts';
import { startLean, writeViews } from './lean-server.ts';
import { Trace } from './lean-trace.ts';

/** The thread that passes a point, hence the variable that arms it, and about how often it is passed in a second. */
type Thread = 'MAIN' | 'LIVE' | 'BUILD';
export interface Target {
  readonly point: FaultPoint | '*';
  readonly thread: Thread;
  /** the kill comes at one of the first so many passings */
  readonly within: number;
  /** set when only a process that ends by itself passes the point */
  readonly stops?: true;
  /** set when it is passed only while nothing else happens */
  readonly idle?: true;
}

const variable: Readonly<Record<Thread, string>> = {
  MAIN: 'MILLRACE_FAULTS',
  LIVE: 'MILLRACE_FAULTS_LIVE',
  BUILD: 'MILLRACE_FAULTS_BUILD',
};

const START = Date.UTC(2030, 0, 1, 20);
const HOUR = 3_600_000;

/** One data folder and the processes that live and die over it. */
export class DyingFolder {
  readonly dir = mkdtempSync(join(tmpdir(), 'millrace-kills-'));
  readonly trace = new Trace(this.dir);
  readonly #seed: number;
  #runs = 0;

  constructor(seed: number) {
    this.#seed = seed;
    writeViews(this.dir, 1);
  }

  /** Runs a process until it is killed: by itself at the target, or from outside after `ms`. True: by itself. */
  async killed(target: Target | null, ms: number): Promise<boolean> {
    const run = ++this.#runs;
    const random = numbers(this.#seed + run);
    const env: NodeJS.ProcessEnv = { ...process.env };
    delete env.NODE_OPTIONS;
    if (target !== null) {
      env[variable[target.thread]] = `${target.point}@${1 + Math.floor(random() * target.within)}=kill`;
    }
    const options = {
      start: this.#start(),
      seed: this.#seed + run,
      first: run * 10_000,
      again: this.trace.unanswered,
      idle: target?.idle ?? false,
      stopAfter: target?.stops ? 150 : undefined,
    };
    const script = join(import.meta.dirname, 'lean-process.ts');
    const child = spawn(process.execPath, [script, this.dir, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    let printed = '';
    child.stdout.on('data', data => {
      printed += String(data);
    });
    child.stderr.on('data', data => {
      printed += String(data);
    });
    let outside = false;
    const timer = setTimeout(() => {
      outside = true;
      child.kill('SIGKILL');
    }, ms);
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    clearTimeout(timer);
    this.trace.read();
    if (signal !== 'SIGKILL' && !(target?.stops && code === 0)) {
      throw new Error(
        `the process ended with ${signal ?? code} (${target?.point ?? 'at random'}):\n${printed}`,
      );
    }
    return !outside && signal === 'SIGKILL';
  }

  /** Opens the folder once more in this process: everything is there, once, and right. */
  async check(): Promise<void> {
    const run = ++this.#runs;
    const server = await startLean({
      dir: this.dir,
      clock: skewedClock(this.#start(), this.#seed + run),
      reacts: seq => this.trace.said(`r ${seq}`),
      onReport: text => this.trace.said(`! ${text}`),
    });
    try {
      await expectWhole(server, this.dir, this.trace);
    } catch (error) {
      writeFileSync(join(this.dir, 'failure.txt'), `${error instanceof Error ? error.stack : String(error)}`);
      throw error;
    } finally {
      await server.stop();
    }
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** The clock goes on from process to process, half an hour each. */
  #start(): number {
    return START + (this.#runs * HOUR) / 2;
  }
}
