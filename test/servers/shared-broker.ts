import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Broker } from './kafka-broker.ts';

const cache = resolve(import.meta.dirname, '../../.cache');
const NAME = /^test-kafka-(\d+)$/;
/** named after the process that runs the tests: several runs do not meet */
const RUN = 'MILLRACE_TEST_RUN';

/** The broker of all server tests, started by the first one that asks. Topics are the test's own: name them uniquely. */
export async function sharedBroker(): Promise<Broker> {
  return Broker.start({ dir: join(cache, `test-kafka-${process.env[RUN] ?? process.pid}`) });
}

/** Takes away the shared brokers of runs that have ended, however they did. */
export async function wipeOldBrokers(): Promise<void> {
  process.env[RUN] = String(process.pid);
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) {
    const pid = Number(NAME.exec(name)?.[1] ?? Number.NaN);
    if (!Number.isNaN(pid) && (pid === process.pid || !runs(pid))) await Broker.wipe(join(cache, name));
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
