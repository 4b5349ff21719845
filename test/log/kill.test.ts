import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { readAll, text } from '../contract/event-log.contract.ts';
import { logFolder, openLog } from './log-folder.ts';

/** Runs the appending process and kills it with SIGKILL after some acknowledgements. Gives the last one and its words. */
async function appendUntilKilled(dir: string, acknowledgements: number) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'appending-process.ts'), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let acknowledged = 0;
  let lines = 0;
  const recovery: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('recovery: ')) recovery.push(line);
    else acknowledged = Math.max(acknowledged, Number(line));
    if (++lines === acknowledgements) child.kill('SIGKILL');
  }
  await ended;
  return { pid: child.pid, acknowledged, recovery };
}

test('a process killed while it appends and seals loses nothing acknowledged and doubles nothing', async () => {
  const dir = logFolder();
  let previous = -1;
  let end = 0;
  for (const acknowledgements of [1, 500, 2_000, 3_001, 777]) {
    const { pid, acknowledged, recovery } = await appendUntilKilled(dir, acknowledgements);
    expect(acknowledged).toBeGreaterThan(end);
    if (previous >= 0) expect(recovery[0]).toContain(`from process ${previous}`);
    previous = pid ?? -1;
    end = acknowledged;
  }
  const log = await openLog(dir);
  const records = readAll(log);
  expect(records.length).toBe(log.end());
  expect(log.end()).toBeGreaterThanOrEqual(end);
  // appends are atomic: both records and the position of the handler, or nothing
  expect(log.end() % 2).toBe(0);
  expect(log.position('h')).toBe(log.end());
  for (const [i, r] of records.entries()) {
    expect(r.seq).toBe(i);
    expect(Number(text(r.value))).toBe(i);
  }
  const offsets = new Map<number, number>();
  for (const r of records) {
    expect(r.offset).toBe(offsets.get(r.partition) ?? 0);
    offsets.set(r.partition, r.offset + 1);
  }
  const ofKey = log.byKey('a', new TextEncoder().encode('k3')).map(r => r.seq);
  expect(ofKey).toEqual(records.filter(r => text(r.key) === 'k3').map(r => r.seq));
});
