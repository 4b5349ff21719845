import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { TICK_TOPIC } from '../../src/core/log-record.ts';
import { blockInfo } from '../../src/log/embedded/block-layout.ts';
import type { StoredLog } from '../../src/log/embedded/embedded-log.ts';
import { openLogReader } from '../../src/log/embedded/log-reader.ts';
import { line, readAll, rec } from '../contract/event-log.contract.ts';
import { logFolder, openLog, segmentFiles, settled } from './log-folder.ts';

/** n appends of one record of about 300 bytes, to b for each tenth, else to a; a has 100 keys. */
async function mixed(log: StoredLog, n: number): Promise<void> {
  log.createTopic({ name: 'a', partitions: 1, keyIndex: true });
  log.createTopic({ name: 'b', partitions: 1, keyIndex: false });
  for (let i = 0; i < n; i++) {
    log.append({ records: [rec(i % 10 === 0 ? 'b' : 'a', `k${i % 100}`, `${i}`.padStart(250, '0'))] });
    if (i % 500 === 499) await settled(log);
  }
  await settled(log);
}

const bytesOf = (dir: string): number => segmentFiles(dir).reduce((sum, f) => sum + statSync(f).size, 0);
const kept = (log: StoredLog): string[] =>
  readAll(log)
    .filter(r => r.topic !== TICK_TOPIC)
    .map(line);

describe('room', () => {
  test('of trimmed records is free again, the records of other topics stay in small blocks that cover long stretches', async () => {
    const dir = logFolder();
    const log = await openLog(dir);
    await mixed(log, 10_000);
    await log.seal();
    const [before, all] = [bytesOf(dir), kept(log)];
    await (await log.trim({ topic: 'a', before: log.end(), by: 'ada' })).reclaimed;
    expect(kept(log)).toEqual(all.filter(l => l.includes(' b/')));
    expect(bytesOf(dir)).toBeLessThan(0.15 * before);
    const bytes = new Uint8Array(readFileSync(segmentFiles(dir)[0]!));
    const { n, kept: left } = blockInfo(bytes, 0);
    expect(left).toBeLessThan(n / 5);
    expect(n).toBeGreaterThan(2_000);
  });

  test('of all that is old is free: its segments are gone and the log begins later', async () => {
    const dir = logFolder();
    const log = await openLog(dir);
    await mixed(log, 5_000);
    for (const topic of ['a', 'b']) {
      await (await log.trim({ topic, before: 4_990, by: 'ada' })).reclaimed;
    }
    expect(log.start()).toBeGreaterThan(3_000);
    expect(bytesOf(dir)).toBeLessThan(300_000);
    expect(readAll(log)[0]?.seq).toBe(log.start());
    expect(kept(log)).toHaveLength(10);
  });

  test('of a small part is not worth a rewrite: it is refused to readers and stays on the disk', async () => {
    const dir = logFolder();
    const log = await openLog(dir);
    await mixed(log, 5_000);
    await log.seal();
    const before = bytesOf(dir);
    await (await log.trim({ topic: 'a', before: 500, by: 'ada' })).reclaimed;
    expect(bytesOf(dir)).toBe(before);
    expect(readAll(log).find(r => r.topic === 'a')?.seq).toBe(501);
  });

  test('of compacted records is free again', async () => {
    const dir = logFolder();
    const log = await openLog(dir);
    await mixed(log, 10_000);
    await log.seal();
    const before = bytesOf(dir);
    await (await log.compact({ topic: 'a', before: log.end(), by: 'ada' })).reclaimed;
    expect(kept(log).filter(l => l.includes(' a/'))).toHaveLength(90);
    expect(bytesOf(dir)).toBeLessThan(0.15 * before);
  });

  test('is asked for before blocks are written; a full disk leaves the log as it was, and the next opening goes on', async () => {
    const dir = logFolder();
    let free = 1e12;
    const log = await openLog(dir, { freeBytes: () => free });
    await mixed(log, 3_000);
    await log.seal();
    const all = kept(log);
    free = 16 << 20;
    const { reclaimed } = await log.compact({ topic: 'a', before: log.end(), by: 'ada' });
    await expect(reclaimed).rejects.toMatchObject({ code: 'disk_full' });
    expect(kept(log)).toEqual(all);
    await log.close();
    const again = await openLog(dir);
    await again.compact({ topic: 'b', before: 0, by: 'ada' }).then(done => done.reclaimed);
    expect(kept(again)).toHaveLength(300 + 90);
  });

  test('is made by a trim of all that is old even when appends are refused', async () => {
    const dir = logFolder();
    let free = 1e12;
    const log = await openLog(dir, { freeBytes: () => free });
    await mixed(log, 3_000);
    await log.seal();
    free = 16 << 20;
    await expect(log.append({ records: [rec('b', null, 'x')] }).durable).rejects.toMatchObject({
      code: 'disk_full',
    });
    const order = { before: log.end(), by: 'ada' };
    const { reclaimed } = await log.trim({ ...order, topic: 'a' });
    await expect(reclaimed, 'records of b would have to be written anew').rejects.toMatchObject({
      code: 'disk_full',
    });
    await (await log.trim({ ...order, topic: 'b' })).reclaimed;
    expect(bytesOf(dir)).toBe(0);
    free = 0;
    await expect(log.trim({ topic: 'a', before: log.end(), by: 'ada' })).rejects.toMatchObject({
      code: 'disk_full',
    });
  });
});

test('a reader in another thread sees what is kept, all of it, while blocks are replaced under it', async () => {
  const dir = logFolder();
  const log = await openLog(dir, { sealAfter: 500 });
  await mixed(log, 4_000);
  const worker = new Worker(new URL('./gap-scanner.ts', import.meta.url), { workerData: { dir, scans: 30 } });
  const result = new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', m => m !== 'open' && resolve(m));
  });
  await new Promise(resolve => worker.once('message', resolve));
  for (let round = 1; round <= 8; round++) {
    await mixed(log, 500);
    const order = { topic: 'a', before: round * 500, by: 'ada' };
    await (await (round % 2 === 0 ? log.compact(order) : log.trim(order))).reclaimed;
  }
  expect(await result).toEqual({ scans: 30, wrong: null });
});

test('damage does not stop upkeep of the rest: the block stays, and the failure names it', async () => {
  const dir = logFolder();
  const first = await openLog(dir);
  await mixed(first, 5_000);
  await first.seal();
  await first.close();
  const [file = ''] = segmentFiles(dir);
  const bytes = readFileSync(file);
  const { n, length } = blockInfo(new Uint8Array(bytes), 0);
  bytes[length + 100]! ^= 1;
  writeFileSync(file, bytes);

  const log = await openLog(dir);
  const { reclaimed } = await log.trim({ topic: 'a', before: log.end(), by: 'ada' });
  await expect(reclaimed).rejects.toMatchObject({ code: 'data_corrupt', data: { from: n } });
  const reader = openLogReader(dir);
  const damaged = blockInfo(new Uint8Array(bytes), length);
  const after = readAll(reader, damaged.firstSeq + damaged.n).filter(r => r.topic !== TICK_TOPIC);
  expect(after.every(r => r.topic === 'b')).toBe(true);
  expect(after.length).toBeGreaterThan(300);
  expect(() => readAll(reader, n)).toThrow(expect.objectContaining({ code: 'data_corrupt' }));
  await reader.close();
});
