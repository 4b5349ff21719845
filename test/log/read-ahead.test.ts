import { readFileSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { recordAt } from '../../src/core/log-record.ts';
import { openLogReader } from '../../src/log/embedded/log-reader.ts';
import type { ReadAhead } from '../../src/log/embedded/read-ahead.ts';
import { codeOf, line, readAll, rec } from '../contract/event-log.contract.ts';
import { until } from '../until.ts';
import { fill, logFolder, openLog, segmentFiles, settled } from './log-folder.ts';

/** A scan that reads ahead however little there is, with its thread at work. */
async function scanOf(dir: string): Promise<ReadAhead> {
  const reader = openLogReader(dir);
  const scan = reader.readAhead({ worthFrom: 1 });
  onTestFinished(async () => {
    scan.close();
    await reader.close();
  });
  await until('the thread reads ahead', () => scan.next(0, 1) === null || scan.isAhead);
  return scan;
}

interface Scanned {
  readonly lines: string[];
  readonly blocks: number;
  readonly ahead: number;
}

function scanned(scan: ReadAhead, maxRecords: number, from = 0, between = () => {}): Scanned {
  const lines: string[] = [];
  let blocks = 0;
  let ahead = 0;
  for (let seq = from; ; ) {
    const block = scan.next(seq, maxRecords);
    if (block === null) return { lines, blocks, ahead };
    blocks++;
    if (scan.isAhead) ahead++;
    expect(block.firstSeq).toBeGreaterThanOrEqual(seq);
    for (let i = 0; i < block.n; i++) {
      const record = recordAt(block, i);
      lines.push(`${line(record)} ${record.headers.map(h => h.name)}`);
    }
    seq = block.firstSeq + block.n;
    between();
  }
}

const direct = (dir: string): string[] =>
  readAll(openLogReader(dir)).map(r => `${line(r)} ${r.headers.map(h => h.name)}`);

test.each([1_000, 3_333, 100_000])('blocks of about %i records are those of a direct scan', async max => {
  const dir = logFolder();
  const log = await openLog(dir);
  await fill(log, 30_000, 500);
  await log.seal();
  log.append({ records: [rec('a', 'k', 'with headers', { headers: [{ name: 'h', value: null }] })] });
  await fill(log, 10_000, 500);
  await log.seal();
  await fill(log, 300);
  const scan = await scanOf(dir);
  const { lines, ahead, blocks } = scanned(scan, max);
  expect(lines).toEqual(direct(dir));
  expect(ahead).toBeGreaterThan(blocks / 3);
});

test('what is appended later is read, too', async () => {
  const dir = logFolder();
  const log = await openLog(dir);
  await fill(log, 5_000, 500);
  await log.seal();
  const scan = await scanOf(dir);
  expect(scanned(scan, 1_000).lines).toHaveLength(5_000);
  await fill(log, 5_000, 500);
  expect(scanned(scan, 1_000, 5_000).lines).toEqual(direct(dir).slice(5_000));
});

test('records that upkeep takes meanwhile are not given any more', async () => {
  const dir = logFolder();
  const log = await openLog(dir);
  await fill(log, 40_000, 500);
  log.createTopic({ name: 'b', partitions: 1, keyIndex: false });
  log.append({ records: [rec('b', 'k', 'kept')] });
  await settled(log);
  await log.seal();
  const scan = await scanOf(dir);
  const n = scan.next(0, 1_000)?.n ?? 0;
  expect(scan.isAhead).toBe(true);
  await (await log.trim({ topic: 'a', before: 30_000, by: 'ada' })).reclaimed;
  expect(scanned(scan, 1_000, n).lines).toEqual(direct(dir));
  expect(scan.isAhead).toBe(false);
});

test('a damaged block is refused where a direct scan refuses it', async () => {
  const dir = logFolder();
  const log = await openLog(dir);
  await fill(log, 20_000, 500);
  await log.seal();
  await log.close();
  const [file = ''] = segmentFiles(dir);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(file, bytes);
  const scan = await scanOf(dir);
  expect(codeOf(() => scanned(scan, 500))).toBe('data_corrupt');
});

test('when its thread cannot read on, the rest is read directly', async () => {
  const dir = logFolder();
  const log = await openLog(dir);
  await fill(log, 40_000, 500);
  await log.seal();
  process.env.MILLRACE_FAULTS_BUILD = 'build.read-ahead@2+1000=EIO';
  onTestFinished(() => {
    delete process.env.MILLRACE_FAULTS_BUILD;
  });
  const { lines, ahead, blocks } = scanned(await scanOf(dir), 1_000);
  expect(lines).toEqual(direct(dir));
  expect(ahead).toBeGreaterThan(0);
  expect(ahead).toBeLessThan(blocks / 2);
});
