import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { systemClock } from '../../src/core/clock.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { counter, request, text } from './counter.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-commands-'));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

async function open() {
  const log = await openEmbeddedLog({ dir, clock: systemClock });
  const errors: unknown[] = [];
  const runtime = new CommandRuntime({ log, entity: counter, cacheSize: 3, onError: e => errors.push(e) });
  const close = async () => {
    runtime.close();
    await log.close();
  };
  return { log, runtime, errors, close };
}

test('law 4, a command counts once: 200 concurrent sends count once each, and give the same results after reopening', async () => {
  const first = await open();
  const send = (runtime: typeof first.runtime) =>
    Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        runtime.submit(request(`e-${i % 5}`, { by: 1 }, { commandId: `c-${i % 150}` })),
      ),
    );
  const results = await send(first.runtime);
  expect(first.log.topic('counter-events')?.records).toBe(150);
  await first.close();

  const second = await open();
  expect(await send(second.runtime)).toEqual(results);
  expect(second.log.topic('counter-events')?.records).toBe(150);
  const next = await second.runtime.submit(request('e-0', { by: 1 }, { expectedVersion: 30 }));
  expect(next).toMatchObject({ status: 'accepted', version: 31 });
  expect(second.errors).toEqual([]);
  await second.close();
});

test('law 4, a command counts once: what waits when the process is killed is handled at the next start: nothing lost, nothing doubled', async () => {
  const acknowledged = new Set<string>();
  for (const killAfter of [1, 137, 700]) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-child.ts'), dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.add(line);
      if (++seen === killAfter) child.kill('SIGKILL');
    }
    expect(child.signalCode ?? (await new Promise(resolve => child.once('exit', (_, s) => resolve(s))))).toBe(
      'SIGKILL',
    );

    const { log, runtime, close } = await open();
    for (const id of acknowledged) expect(runtime.result(id)).toMatchObject({ status: 'accepted' });
    await log.append({ records: [] }).durable; // what was left over is handled and durable
    const counts = new Map<string, number>();
    for (const block of log.read(0)) {
      for (let i = 0; i < block.n; i++) {
        const topic = block.topics[block.topic[i] ?? -1] ?? '';
        counts.set(topic, (counts.get(topic) ?? 0) + 1);
      }
    }
    // Every command that the log holds has exactly one event and one result.
    const sent = counts.get('counter-commands') ?? 0;
    const results = Array.from({ length: sent }, (_, i) => runtime.result(`c-${i}`));
    expect(results.every(r => r !== null && r !== 'pending')).toBe(true);
    const events = log.topic('counter-events')?.records;
    expect(events).toBe(log.topic('counter-commands')?.records);
    expect(log.topic('command-results')?.records).toBe(events);
    let sum = 0;
    for (let e = 0; e < 7; e++) {
      const value = log.lastByKey('counters', Buffer.from(`e-${e}`))?.value;
      if (value) sum += JSON.parse(text(value)).state;
    }
    expect(sum).toBe(events);
    await close();
  }
  expect(acknowledged.size).toBeGreaterThanOrEqual(700);
});
