import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { layDownSample, sampleState } from '../../pipelines/sample/sample-history.ts';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { ManualClock, systemClock } from '../../src/core/clock.ts';
import { recordAt } from '../../src/core/log-record.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';

const UNTIL = Date.UTC(2026, 10, 20, 10);
const dir = mkdtempSync(join(tmpdir(), 'millrace-sample-'));

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const lay = (log: EventLog) => {
  const commands = new CommandRuntime({
    log,
    entity: invoiceEntity,
    onError: error => {
      throw error;
    },
  });
  return layDownSample({ log, commands, until: UNTIL, seed: 1 });
};

function* records(log: EventLog) {
  for (const block of log.read(0)) {
    for (let i = 0; i < block.n; i++) {
      const { topic, offset, timestamp, appendTime, value } = recordAt(block, i);
      yield `${topic} ${offset} ${timestamp} ${appendTime} ${Buffer.from(value ?? []).toString()}`;
    }
  }
}

test('a sample whose process is killed twice is finished as if nothing had happened', async () => {
  for (const killAt of [8_000, 30_000]) {
    const script = join(import.meta.dirname, 'laying-process.ts');
    const child = spawn(process.execPath, [script, dir, String(UNTIL)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = new Promise(resolve => child.once('exit', (_, signal) => resolve(signal)));
    for await (const line of createInterface({ input: child.stdout })) {
      if (Number(line) >= killAt) child.kill('SIGKILL');
    }
    expect(await exited).toBe('SIGKILL');
  }
  const log = await openEmbeddedLog({ dir, clock: systemClock });
  expect(sampleState(log)).toBe('partial');
  const report = await lay(log);
  expect(report.resumedAt).toBeGreaterThanOrEqual(20_000);
  expect(sampleState(log)).toBe('done');

  const whole = createMemoryLog({ clock: new ManualClock(UNTIL) });
  await lay(whole);
  const expected = records(whole);
  for (const record of records(log)) {
    const { value } = expected.next();
    if (record !== value) expect(record).toBe(value);
  }
  expect(expected.next().done).toBe(true);
  await log.close();
});
