import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { layDownSample } from '../../pipelines/sample/sample-history.ts';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { ManualClock, systemClock } from '../../src/core/clock.ts';
import { type LogRecord, recordAt } from '../../src/core/log-record.ts';
import { logDir } from '../../src/dataflow/worker-environment.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';

const DAY = '2026-11-20';
const UNTIL = Date.parse(`${DAY}T23:59:59Z`);
const MILLRACE = join(import.meta.dirname, '..', '..', 'src', 'cli', 'millrace.mjs');

/** Starts a server on the folder and ends it with the signal as soon as a line is what is waited for. */
async function startUntil(
  dir: string,
  isCome: (line: string) => boolean,
  signal: NodeJS.Signals,
): Promise<unknown> {
  const args = ['start', '--data', dir, '--port', '0', '--json', '--no-watch', '--sample-until', DAY];
  const child = spawn(process.execPath, [MILLRACE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const exited = new Promise(resolve => child.once('exit', (code, by) => resolve(by ?? code)));
  const watch = async (stream: NodeJS.ReadableStream) => {
    for await (const line of createInterface({ input: stream })) if (isCome(line)) child.kill(signal);
  };
  await Promise.all([watch(child.stdout), watch(child.stderr)]);
  return exited;
}

/** The records of the sample in the order of the log; what views have written among them is left out. */
function* sampled(log: EventLog, topics: ReadonlySet<string>): Generator<string> {
  const shown = (r: LogRecord) =>
    `${r.topic} ${r.offset} ${r.timestamp} ${r.appendTime} ${Buffer.from(r.value ?? []).toString()}`;
  for (const block of log.read(0)) {
    for (let i = 0; i < block.n; i++) {
      const record = recordAt(block, i);
      if (topics.has(record.topic)) yield shown(record);
    }
  }
}

test('a server that is killed while it lays down the sample finishes it at its next start, record by record', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-start-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const laidDown = (line: string): number =>
    Number(/laying down the sample history \((\d+) %\)/.exec(line)?.[1] ?? 0);
  for (const percent of [20, 61]) {
    expect(await startUntil(dir, line => laidDown(line) >= percent, 'SIGKILL')).toBe('SIGKILL');
  }
  expect(await startUntil(dir, line => line.includes('"url"'), 'SIGINT')).toBe(0);

  const whole = createMemoryLog({ clock: new ManualClock(UNTIL) });
  const commands = new CommandRuntime({
    log: whole,
    entity: invoiceEntity,
    onError: error => {
      throw error;
    },
  });
  await layDownSample({ log: whole, commands, until: UNTIL, seed: 1 });
  const topics = new Set(whole.topics().map(t => t.name));
  const log = await openEmbeddedLog({ dir: logDir(dir), clock: systemClock });
  onTestFinished(() => log.close());
  const expected = sampled(whole, topics);
  let compared = 0;
  for (const record of sampled(log, topics)) {
    const { value } = expected.next();
    if (record !== value) expect(record).toBe(value);
    compared++;
  }
  expect(expected.next().done).toBe(true);
  expect(compared).toBeGreaterThan(90_000);
}, 300_000);
