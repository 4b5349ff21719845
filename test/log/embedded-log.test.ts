import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { blockInfo } from '../../src/log/embedded/block-layout.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { openLogReader } from '../../src/log/embedded/log-reader.ts';
import type { EventLog, HandlerPosition } from '../../src/log/event-log.ts';
import { codeOf, line, readAll, rec, utf8 } from '../contract/event-log.contract.ts';
import { fill, logFolder, openLog, segmentFiles, settled } from './log-folder.ts';

function shown(log: EventLog) {
  return {
    id: log.id,
    end: log.end(),
    time: log.lastAppendTime(),
    topics: log.topics(),
    position: log.position('h'),
    records: readAll(log).map(line),
    ofKey: log.byKey('a', utf8('k3')).map(line),
    last: log.lastRecords('a', 20).map(line),
  };
}

describe('opening again', () => {
  test.each([
    ['from the tail', false],
    ['from segments', true],
  ])('everything is there, %s', async (_, sealed) => {
    const dir = logFolder();
    const first = await openLog(dir, { clock: new ManualClock(5_000) });
    await fill(first, 3_000);
    await first.append({ records: [], positions: [{ handler: 'h', seq: 17 }] }).durable;
    if (sealed) await first.seal();
    const before = shown(first);
    await first.close();

    const second = await openLog(dir, { clock: new ManualClock(1_000) });
    expect(second.recovery).toEqual([]);
    expect(shown(second)).toEqual(before);
    const appended = second.append({ records: [rec('a', 'k', 'next', { partition: 2 })] });
    expect(appended.records[0]).toMatchObject({ seq: 3_000, offset: before.topics[0]?.ends[2] });
    expect(appended.appendTime).toBe(5_000);
  });

  test('closing waits for what was accepted', async () => {
    const dir = logFolder();
    const first = await openLog(dir);
    first.createTopic({ name: 'a', partitions: 1, keyIndex: false });
    const { durable } = first.append({ records: [rec('a', null, 'x')] });
    await first.close();
    await durable;
    expect(readAll(await openLog(dir)).map(line)).toEqual(['0 a/0@0 null=x']);
  });

  test('two logs have two ids', async () => {
    expect((await openLog(logFolder())).id).not.toBe((await openLog(logFolder())).id);
  });
});

describe('group commit', () => {
  test('the appends of one turn become durable together', async () => {
    const log = await openLog(logFolder());
    log.createTopic({ name: 'a', partitions: 1, keyIndex: false });
    await settled(log);
    const ends: number[] = [];
    log.onFlushed(end => ends.push(end));
    const appends = Array.from({ length: 100 }, (_, i) => log.append({ records: [rec('a', null, `${i}`)] }));
    expect(log.end()).toBe(0);
    await Promise.all(appends.map(a => a.durable));
    expect(ends).toEqual([100]);
  });
});

describe('sealing', () => {
  test('moves the tail into blocks of 64 to 256 KB that hold the same records', async () => {
    const dir = logFolder();
    const log = await openLog(dir);
    await fill(log, 20_000, 40);
    const before = shown(log);
    await log.seal();
    expect(shown(log)).toEqual(before);

    const blocks = segmentFiles(dir).flatMap(blocksOf);
    expect(blocks.reduce((n, b) => n + b.n, 0)).toBe(20_000);
    for (const block of blocks) {
      expect(block.length).toBeGreaterThanOrEqual(64 << 10);
      expect(block.length).toBeLessThanOrEqual(256 << 10);
    }
  });

  test('by itself after a number of records, leaving a rest too small for a block', async () => {
    const dir = logFolder();
    const log = await openLog(dir, { sealAfter: 1_000 });
    await fill(log, 5_000);
    // closing waits for the pass under way
    await log.close();
    const sealed = segmentFiles(dir).flatMap(blocksOf);
    expect(sealed.length).toBeGreaterThan(0);
    for (const block of sealed) expect(block.length).toBeGreaterThanOrEqual(64 << 10);
    expect(readAll(await openLog(dir))).toHaveLength(5_000);
  });

  test('several times, with appends between, keeps everything in place', async () => {
    const log = await openLog(logFolder());
    for (let i = 0; i < 5; i++) {
      await fill(log, 333, 7);
      await Promise.all([log.seal(), log.seal()]);
    }
    await fill(log, 100);
    expect(readAll(log).map(r => Number(Buffer.from(r.value ?? []).toString()))).toEqual(
      Array.from({ length: 1_765 }, (_, i) => i),
    );
    expect(log.byKey('a', utf8('k0'))).toHaveLength(Math.ceil(1_765 / 7));
    expect(log.readTopic('a', { limit: 5_000 }).map(r => r.seq)).toEqual(readAll(log).map(r => r.seq));
  });

  function blocksOf(file: string) {
    const bytes = new Uint8Array(readFileSync(file));
    const blocks = [];
    for (let at = 0; at < bytes.length; at += blocks.at(-1)?.length ?? 0) blocks.push(blockInfo(bytes, at));
    return blocks;
  }
});

describe('the folder', () => {
  const open = async (dir: string) =>
    (await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'opening-process.ts'), dir]))
      .stdout;

  test('is refused to another process, naming the one that has it, until the log is closed', async () => {
    const dir = logFolder();
    const log = await openLog(dir);
    expect(await open(dir)).toMatch(new RegExp(`^data_folder_locked: .* in use by process ${process.pid}`));
    await log.close();
    expect(await open(dir)).toBe('opened\n');
  });

  test('is refused to a second log in the same process', async () => {
    const dir = logFolder();
    await openLog(dir);
    await expect(openLog(dir)).rejects.toMatchObject({ code: 'data_folder_locked' });
  });

  test('of a dead process is taken over, and recovery says so', async () => {
    const dir = logFolder();
    await (await openLog(dir)).close();
    const { host, started } = await heldLock(dir);
    // a process that has this pid now, but started at another time, is not the holder
    writeFileSync(join(dir, 'lock'), JSON.stringify({ pid: process.ppid, host, started: `${started}0` }));
    const log = await openLog(dir);
    expect(log.recovery).toEqual([expect.stringContaining(`from process ${process.ppid}`)]);
  });

  test('with a torn lock file is taken over', async () => {
    const dir = logFolder();
    writeFileSync(join(dir, 'lock'), '');
    expect((await openLog(dir)).end()).toBe(0);
  });

  async function heldLock(dir: string): Promise<{ host: string; started: string }> {
    const log = await openEmbeddedLog({ dir, clock: new ManualClock(1) });
    const lock = JSON.parse(readFileSync(join(dir, 'lock'), 'utf8')) as { host: string; started: string };
    await log.close();
    return lock;
  }
});

describe('a reader', () => {
  test('sees flushed records only', async () => {
    const dir = logFolder();
    const log = await openLog(dir);
    log.createTopic({ name: 'a', partitions: 1, keyIndex: false });
    await log.append({ records: [rec('a', null, '0')] }).durable;
    const reader = openLogReader(dir);
    expect(reader.id).toBe(log.id);
    const { durable } = log.append({ records: [rec('a', null, '1')] });
    expect([reader.end(), readAll(reader).length]).toEqual([1, 1]);
    await durable;
    expect([reader.end(), readAll(reader).length]).toEqual([2, 2]);
    expect(reader.topics()).toEqual(log.topics());
    expect(reader.topic('a')).toEqual(log.topic('a'));
    await reader.close();
    expect(readAll(log)).toHaveLength(2);
  });

  test('of a folder without a log is an error', () => {
    expect(() => openLogReader(logFolder())).toThrow(expect.objectContaining({ code: 'data_corrupt' }));
  });

  test('in a worker reads every record once while the log is written and sealed', async () => {
    const dir = logFolder();
    const until = 30_000;
    const log = await openLog(dir, { sealAfter: 500 });
    log.createTopic({ name: 'a', partitions: 3, keyIndex: true });
    await settled(log);
    const worker = new Worker(new URL('./log-scanner.ts', import.meta.url), { workerData: { dir, until } });
    const result = new Promise((resolve, reject) => {
      worker.on('error', reject);
      worker.on('message', m => m !== 'open' && resolve(m));
    });
    await new Promise(resolve => worker.once('message', resolve));
    while (log.end() < until) await fill(log, 200, 3);
    expect(await result).toEqual({
      records: expect.any(Number),
      wrong: null,
      topics: [['a', expect.any(Number)]],
    });
    expect(segmentFiles(dir).length).toBeGreaterThan(0);
  });
});

test('while too much waits for the disk appends are refused, but not those that move a handler', async () => {
  const log = await openLog(logFolder(), { limits: { waitingBytes: 1_000 } });
  log.createTopic({ name: 'a', partitions: 1, keyIndex: false });
  await settled(log);
  const append = (positions?: HandlerPosition[]) =>
    codeOf(() => log.append({ records: [rec('a', null, 'x'.repeat(600))], positions }));
  const flood = [append(), append(), append(), append([{ handler: 'h', seq: 1 }]), append()];
  expect(flood).toEqual(['no error', 'no error', 'overloaded', 'no error', 'overloaded']);

  await log.append({ records: [], positions: [{ handler: 'h', seq: 2 }] }).durable;
  expect(log.end()).toBe(3);
  expect(append()).toBe('no error');
});
