import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { FAULT_POINTS, type FaultPoint } from '../../src/core/fault-points.ts';
import { TICK_TOPIC } from '../../src/core/log-record.ts';
import { openEmbeddedLog, type StoredLog } from '../../src/log/embedded/embedded-log.ts';
import { restoreLog } from '../../src/log/embedded/restore.ts';
import { isWhole, verifyLog } from '../../src/log/embedded/verify.ts';
import { line, readAll, rec } from '../contract/event-log.contract.ts';
import { until } from '../until.ts';
import { logFolder, openLog, segmentFiles, settled } from './log-folder.ts';

type Work = 'trim' | 'compact' | 'backup' | 'link' | 'restore';

/** each point with what passes it, and at which passings the process is killed there */
const KILLS: readonly (readonly [point: FaultPoint, work: Work, ...passings: number[]])[] = [
  ['upkeep.act', 'trim', 1],
  ['upkeep.keys', 'trim', 1, 2],
  ['upkeep.swap', 'trim', 1],
  ['upkeep.swapped', 'trim', 1],
  ['upkeep.segment.forget', 'trim', 1],
  ['upkeep.segment.remove', 'trim', 1],
  ['upkeep.done', 'trim', 1],
  ['upkeep.act', 'compact', 1],
  ['upkeep.keys', 'compact', 1],
  ['upkeep.swap', 'compact', 1],
  ['upkeep.swapped', 'compact', 1],
  ['upkeep.segment.forget', 'compact', 1],
  ['upkeep.segment.remove', 'compact', 1],
  ['upkeep.compacted', 'compact', 1],
  ['upkeep.done', 'compact', 1],
  ['backup.index', 'backup', 1],
  ['backup.file', 'backup', 1],
  ['backup.file.write', 'backup', 1, 3],
  ['backup.file.sync', 'backup', 1],
  ['backup.index.sync', 'backup', 1],
  ['backup.index.named', 'backup', 1],
  ['backup.manifest', 'backup', 1],
  ['backup.done', 'backup', 1],
  ['backup.clean', 'backup', 1],
  ['backup.link', 'link', 1],
  ['restore.begin', 'restore', 1],
  ['backup.file', 'restore', 1, 2],
  ['restore.done', 'restore', 1],
];

const kept = (log: StoredLog): string[] =>
  readAll(log)
    .filter(r => r.topic !== TICK_TOPIC)
    .map(line);

/** Records of a (with key index) and b in turn, the last in the tail. */
async function fill(log: StoredLog, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    log.append({ records: [rec(i % 2 === 0 ? 'a' : 'b', `k${i % 50}`, `${i}`.padStart(300, '0'))] });
    if (i % 100 === 99) await settled(log);
  }
  await settled(log);
}

let base = '';
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'millrace-upkeep-'));
  const log = await openEmbeddedLog({ dir: join(base, 'log'), clock: new ManualClock(1_000) });
  log.createTopic({ name: 'a', partitions: 2, keyIndex: true });
  log.createTopic({ name: 'b', partitions: 1, keyIndex: false });
  await fill(log, 0, 2_000);
  await log.seal();
  await log.backUp({ folder: join(base, 'backup') });
  await fill(log, 2_000, 6_000);
  await log.seal();
  await fill(log, 6_000, 6_100);
  await log.close();
  return () => rmSync(base, { recursive: true, force: true });
});

test('every point of upkeep, backup and restore is met by a kill', () => {
  const points = Object.keys(FAULT_POINTS).filter(p => /^(upkeep|backup|restore)\./.test(p));
  expect([...new Set(KILLS.map(([point]) => point))].sort()).toEqual(points.sort());
});

const LONG = process.env.MILLRACE_LONG === '1';
/** for every day: the moments at which most is under way */
const SHORT = [
  'upkeep.keys',
  'upkeep.swap',
  'upkeep.swapped',
  'upkeep.segment.remove',
  'backup.manifest',
  'backup.link',
];

test.each(
  KILLS.filter(([point]) => LONG || SHORT.includes(point)).flatMap(([point, work, ...passings]) =>
    passings.map(n => [point, n, work] as const),
  ),
)('kill -9 at %s, passing %i of a %s: the log is as before or as after', async (point, passing, work) => {
  const dir = logFolder();
  cpSync(base, dir, { recursive: true });
  const logDir = join(dir, 'log');
  const before = await opened(logDir, async log => kept(log));
  expect(await killed(dir, work, `${point}@${passing}=kill`)).toBe('SIGKILL');

  if (work === 'restore') {
    expect(existsSync(join(dir, 'restored'))).toBe(false);
    await restoreLog({ backup: join(dir, 'backup'), dir: join(dir, 'restored') });
    expect(await opened(join(dir, 'restored'), async log => kept(log))).toEqual(before.slice(0, 2_000));
    return;
  }
  const after = await opened(logDir, async log => {
    await until('the upkeep is done', () => log.upkeep() === null);
    const records = kept(log);
    if (work === 'trim' || work === 'compact') expectUpkeep(log, work, before, records);
    else expect(records).toEqual(before);
    if (work === 'backup' || work === 'link') await expectBackup(log, dir, before);
    await fill(log, 6_100, 6_110);
    expect(kept(log)).toHaveLength(records.length + 10);
    return records;
  });
  expect(isWhole(await verifyLog(logDir))).toBe(true);
  const files = (await verifyLog(logDir)).files.map(f => basename(f.file));
  expect(segmentFiles(logDir).map(f => basename(f))).toEqual(files.slice(0, -1));
  expect(after.filter(l => l.includes(' b/'))).toEqual(before.filter(l => l.includes(' b/')));
});

function expectUpkeep(log: StoredLog, work: 'trim' | 'compact', before: string[], after: string[]): void {
  const acts = log.acts().map(a => a.kind);
  const ofA = after.filter(l => l.includes(' a/'));
  if (acts.length === 0) expect(after).toEqual(before);
  else if (work === 'trim') expect(ofA).toEqual([]);
  else expect(ofA).toEqual(before.filter(l => l.includes(' a/')).slice(-25));
  for (let k = 0; k < 50; k += 2) {
    const last = log.lastByKey('a', Buffer.from(`k${k}`));
    expect(last === null).toBe(work === 'trim' && acts.length > 0);
  }
}

/** The old backup or the new one is valid, and the next one is made. */
async function expectBackup(log: StoredLog, dir: string, before: string[]): Promise<void> {
  const restored = async (to: string) => {
    await restoreLog({ backup: join(dir, 'backup'), dir: join(dir, to) });
    return opened(join(dir, to), async again => kept(again));
  };
  const found = await restored('first');
  expect(found).toEqual(before.slice(0, found.length));
  expect([2_000, 6_100]).toContain(found.length);
  await log.backUp({ folder: join(dir, 'backup') });
  expect(await restored('second')).toEqual(before);
}

async function opened<T>(dir: string, work: (log: StoredLog) => Promise<T>): Promise<T> {
  const log = await openLog(dir);
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

async function killed(dir: string, work: Work, faults: string): Promise<string | null> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'upkeep-process.ts'), dir, work], {
    env: { ...process.env, MILLRACE_FAULTS: faults },
    stdio: 'inherit',
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return signal;
}
