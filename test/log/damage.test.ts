import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { blockInfo } from '../../src/log/embedded/block-layout.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { openLogDatabase } from '../../src/log/embedded/log-environment.ts';
import { tailKey } from '../../src/log/embedded/log-keys.ts';
import { isWhole, verifyLog } from '../../src/log/embedded/verify.ts';
import { codeOf, line, readAll } from '../contract/event-log.contract.ts';
import { fill, logFolder, openLog, segmentFiles } from './log-folder.ts';

const SEALED = 2_000;
const ALL = 2_010;

/** 2,000 sealed records in one segment, 10 in the tail. */
async function sealedLog(dir: string): Promise<string[]> {
  const log = await openEmbeddedLog({ dir, clock: new ManualClock(1) });
  await fill(log, SEALED);
  await log.seal();
  await fill(log, ALL - SEALED);
  const records = readAll(log).map(line);
  await log.close();
  return records;
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 1;
  writeFileSync(file, bytes);
}

async function flipInTail(dir: string, seq: number, at: number): Promise<void> {
  const db = openLogDatabase(dir);
  const bytes = new Uint8Array(db.get(tailKey(seq))!);
  bytes[at]! ^= 1;
  await db.put(tailKey(seq), bytes);
  await db.close();
}

describe('what an interrupted pass left', () => {
  test('behind the registered end of a segment is cut off and reported', async () => {
    const dir = logFolder();
    const records = await sealedLog(dir);
    const file = segmentFiles(dir)[0]!;
    writeFileSync(file, Buffer.alloc(1_000, 0x55), { flag: 'a' });
    const log = await openLog(dir);
    expect(log.recovery).toEqual([expect.stringContaining('cut 1000 bytes off segments/0000000001.segment')]);
    expect(readAll(log).map(line)).toEqual(records);
    await log.seal();
    expect(readAll(log).map(line)).toEqual(records);
  });

  test('as a segment that was never registered is removed and reported', async () => {
    const dir = logFolder();
    const records = await sealedLog(dir);
    writeFileSync(join(dir, 'segments', '0000000002.segment'), Buffer.alloc(100));
    const log = await openLog(dir);
    expect(log.recovery).toEqual([expect.stringContaining('removed segments/0000000002.segment')]);
    expect(segmentFiles(dir)).toHaveLength(1);
    expect(readAll(log).map(line)).toEqual(records);
  });
});

describe('a flipped bit', () => {
  test('of a sealed block refuses its records, naming file, place and range; all others are read', async () => {
    const dir = logFolder();
    const records = await sealedLog(dir);
    const file = segmentFiles(dir)[0]!;
    const first = blockInfo(new Uint8Array(readFileSync(file)), 0);
    const second = blockInfo(new Uint8Array(readFileSync(file)), first.length);
    flip(file, first.length + 5_000);

    const log = await openLog(dir);
    expect(log.recovery, 'opening reads no block').toEqual([]);
    const [from, to] = [first.n, first.n + second.n];
    const refusal = expect.objectContaining({
      code: 'data_corrupt',
      message:
        `the log file "segments/0000000001.segment" is damaged at byte ${first.length}: ` +
        `its checksum does not match; records ${from} to ${to - 1} cannot be read`,
      data: {
        file: 'segments/0000000001.segment',
        offset: first.length,
        length: second.length,
        block: from,
        from,
        to,
      },
    });
    expect(() => readAll(log)).toThrow(refusal);
    expect(() => log.record(from)).toThrow(refusal);
    const read = [...readAll(log, 0, from), ...readAll(log, to)].map(line);
    expect(read).toEqual([...records.slice(0, from), ...records.slice(to)]);
  });

  test('of a block of the tail does the same', async () => {
    const dir = logFolder();
    const records = await sealedLog(dir);
    await flipInTail(dir, SEALED, 100);
    const log = await openLog(dir);
    for (const read of [() => readAll(log), () => log.record(SEALED + 3), () => log.lastRecords('a', 5)]) {
      expect(read).toThrow(
        expect.objectContaining({
          code: 'data_corrupt',
          data: expect.objectContaining({ file: 'index.lmdb', from: SEALED, to: ALL }),
        }),
      );
    }
    expect(readAll(log, 0, SEALED).map(line)).toEqual(records.slice(0, SEALED));
  });

  test('of the tail keeps what stands there from being sealed, and the log goes on', async () => {
    const dir = logFolder();
    await sealedLog(dir);
    await flipInTail(dir, SEALED, 100);
    const log = await openLog(dir);
    await expect(log.seal()).rejects.toMatchObject({ code: 'data_corrupt' });
    await fill(log, 5);
    expect(readAll(log, ALL)).toHaveLength(5);
  });
});

describe('a registered segment', () => {
  test.each([
    [
      'that is cut',
      (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 100)),
      'at byte 100: the file ends there',
    ],
    ['that is empty', (file: string) => writeFileSync(file, ''), 'at byte 0: the file ends there'],
    ['that is gone', (file: string) => rmSync(file), 'at byte 0: the file is missing'],
  ])('%s is told at opening; its records are refused, the log goes on', async (_, harm, told) => {
    const dir = logFolder();
    await sealedLog(dir);
    harm(segmentFiles(dir)[0]!);
    const log = await openLog(dir);
    expect(log.recovery).toEqual([
      `the log file "segments/0000000001.segment" is damaged ${told}; records 0 to 1999 cannot be read`,
    ]);
    expect(codeOf(() => readAll(log))).toBe('data_corrupt');
    expect(codeOf(() => log.record(7))).toBe('data_corrupt');
    await fill(log, 3_000);
    await log.seal();
    expect(readAll(log, SEALED)).toHaveLength(ALL - SEALED + 3_000);
  });
});

describe('verify', () => {
  test('of a whole log counts what every file holds, also while the log is open', async () => {
    const dir = logFolder();
    await sealedLog(dir);
    const log = await openLog(dir);
    const verified = await verifyLog(dir);
    expect(isWhole(verified)).toBe(true);
    expect(verified).toMatchObject({ id: log.id, start: 0, end: ALL, missing: [] });
    expect(verified.files).toEqual([
      {
        file: 'segments/0000000001.segment',
        blocks: expect.any(Number),
        records: SEALED,
        bytes: readFileSync(segmentFiles(dir)[0]!).length,
        damage: [],
      },
      { file: 'index.lmdb', blocks: 1, records: ALL - SEALED, bytes: expect.any(Number), damage: [] },
    ]);
  });

  test('lists everything that is damaged', async () => {
    const dir = logFolder();
    await sealedLog(dir);
    const file = segmentFiles(dir)[0]!;
    const { length, n } = blockInfo(new Uint8Array(readFileSync(file)), 0);
    flip(file, 200);
    flip(file, length + 200);
    await flipInTail(dir, SEALED, 100);
    const verified = await verifyLog(dir);
    expect(isWhole(verified)).toBe(false);
    expect(verified.files.flatMap(f => f.damage.map(d => [d.file, d.from, d.what]))).toEqual([
      ['segments/0000000001.segment', 0, 'its checksum does not match'],
      ['segments/0000000001.segment', n, 'its checksum does not match'],
      ['index.lmdb', SEALED, 'its checksum does not match'],
    ]);
  });

  test('of a folder without a log is an error', async () => {
    await expect(verifyLog(logFolder())).rejects.toMatchObject({ code: 'data_corrupt' });
  });
});
