import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { layDownSample, sampleState, sampleSteps } from '../../pipelines/sample/sample-history.ts';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { recordAt } from '../../src/core/log-record.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import { invoiceAt } from '../../src/invoice/invoice-history.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';

const UNTIL = Date.UTC(2026, 10, 24, 10);
const SEED = 7;

function runtimeOn(log: EventLog) {
  return new CommandRuntime({
    log,
    entity: invoiceEntity,
    onError: error => {
      throw error;
    },
  });
}

const newLog = () => createMemoryLog({ clock: new ManualClock(UNTIL + 60_000), id: 'sample' });

/** Every byte and time of the log. */
function digest(log: EventLog): string {
  const hash = createHash('sha256');
  for (const block of log.read(0)) {
    for (let i = 0; i < block.n; i++) {
      const { topic, partition, offset, timestamp, appendTime, key, value } = recordAt(block, i);
      hash.update(JSON.stringify([topic, partition, offset, timestamp, appendTime]));
      hash.update(key ?? '').update(value ?? '');
    }
  }
  return hash.digest('hex');
}

test('the sample is the same for the same seed and end, also when it was interrupted', async () => {
  const log = newLog();
  expect(sampleState(log)).toBe('none');
  const progress: number[] = [];
  const report = await layDownSample({
    log,
    commands: runtimeOn(log),
    until: UNTIL,
    seed: SEED,
    onProgress: done => progress.push(done),
  });
  expect(report.resumedAt).toBe(0);
  expect(progress.at(-1)).toBe(report.steps);
  expect(sampleState(log)).toBe('done');

  const interrupted = newLog();
  for (const stopAfter of [1, 2_500, 7_000]) {
    const runtime = runtimeOn(interrupted);
    let calls = 0;
    const commands = {
      handleAt: (...args: Parameters<typeof runtime.handleAt>) => {
        if (calls++ === stopAfter) throw new Error('the power fails');
        return runtime.handleAt(...args);
      },
    };
    const laying = layDownSample({ log: interrupted, commands, until: UNTIL, seed: SEED });
    await expect(laying).rejects.toThrow('the power fails');
    expect(sampleState(interrupted)).toBe('partial');
    runtime.close();
  }
  // The day has turned and the setting has changed meanwhile: what was begun is finished.
  const commands = runtimeOn(interrupted);
  const resumed = await layDownSample({ log: interrupted, commands, until: UNTIL + 86_400_000, seed: 99 });
  expect(resumed.resumedAt).toBeGreaterThan(9_000);
  expect(digest(interrupted)).toBe(digest(log));
  expect((await layDownSample({ log, commands, until: UNTIL, seed: SEED })).steps).toBe(0);
}, 120_000);

test('the sample has the shape that the views want to show', async () => {
  const log = newLog();
  await layDownSample({ log, commands: runtimeOn(log), until: UNTIL, seed: SEED });
  const today = new Date(UNTIL).toISOString().slice(0, 10);
  const kinds = new Map<string, number>();
  let last = 0;
  for (const block of log.read(0)) {
    for (let i = 0; i < block.n; i++) {
      expect(block.appendTime[i]).toBeGreaterThanOrEqual(last);
      last = block.appendTime[i] ?? 0;
      expect(block.timestamp[i]).toBeLessThanOrEqual(last);
    }
  }
  expect(last).toBeLessThanOrEqual(UNTIL);
  for (let i = 1; i <= 3_000; i++) {
    const id = `inv-${String(i).padStart(5, '0')}`;
    if (!log.lastByKey('invoice-snapshots', Buffer.from(id))) continue; // to be issued after the end
    const { status, due_date } = invoiceAt(log, id);
    const kind = status === 'sent' && due_date < today ? 'overdue' : status;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  for (const kind of ['draft', 'sent', 'overdue', 'paid', 'void', 'deleted']) {
    expect(kinds.get(kind), kind).toBeGreaterThan(10);
  }
  expect(log.topic('authorization-attempts')?.records).toBe(50_000);
  expect(log.topic('payments')?.records).toBeGreaterThan(2_000);

  const steps = sampleSteps(SEED, UNTIL);
  const orders = new Map<string, unknown>();
  const stock = new Map<string, number>();
  let least = 0;
  for (const step of steps) {
    if (!('record' in step)) continue;
    const { topic, key, value } = step.record;
    if (topic === 'orders') orders.set(key, value.status);
    if (topic !== 'inventory') continue;
    stock.set(key, (stock.get(key) ?? 0) + Number(value.quantity));
    least = Math.min(least, stock.get(key) ?? 0);
  }
  for (const status of ['placed', 'shipped', 'cancelled']) {
    expect([...orders.values()].filter(s => s === status).length, status).toBeGreaterThan(10);
  }
  expect({ articles: stock.size, least }).toEqual({ articles: 80, least: 0 });

  const windows = new Map<string, number>();
  for (const step of steps) {
    if (!('record' in step) || step.record.topic !== 'authorization-attempts') continue;
    const window = `${step.record.key}/${Math.floor(step.at / 5_000)}`;
    windows.set(window, (windows.get(window) ?? 0) + 1);
  }
  const frauds = [...windows.values()].filter(count => count > 3).length;
  expect(frauds).toBeGreaterThanOrEqual(40);
  expect(frauds).toBeLessThan(90);
});

test('a sample that was interrupted is not finished behind what came later', async () => {
  const log = newLog();
  const runtime = runtimeOn(log);
  const commands = {
    handleAt: () => {
      throw new Error('the power fails');
    },
  };
  await expect(layDownSample({ log, commands, until: UNTIL, seed: SEED })).rejects.toThrow('the power fails');
  log.createTopic({ name: 'visits', partitions: 1, keyIndex: false });
  await log.append({ records: [{ topic: 'visits', key: null, value: new Uint8Array() }] }).durable;
  const { end } = log.append({ records: [] });
  await layDownSample({ log, commands: runtime, until: UNTIL + 1, seed: SEED });
  expect(log.end()).toBe(end);
  expect(sampleState(log)).toBe('done');
});
