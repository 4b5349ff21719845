import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import type { BackupManifest } from '../../src/log/embedded/backup-manifest.ts';
import type { StoredLog } from '../../src/log/embedded/embedded-log.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { restoreLog } from '../../src/log/embedded/restore.ts';
import { line, readAll, rec } from '../contract/event-log.contract.ts';
import { fill, logFolder, openLog, segmentFiles } from './log-folder.ts';

/** The records of a backup, restored into a folder of its own. */
async function restored(
  backup: string,
): Promise<{ manifest: BackupManifest; records: string[]; log: StoredLog }> {
  const dir = join(logFolder(), 'log');
  const manifest = await restoreLog({ backup, dir });
  const log = await openLog(dir);
  expect(log.recovery).toEqual([]);
  return { manifest, records: readAll(log).map(line), log };
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 1;
  writeFileSync(file, bytes);
}

describe('a backup', () => {
  test('restored, is the log at the position of its manifest: records, topics, handlers, acts', async () => {
    const log = await openLog(logFolder());
    await fill(log, 3_000);
    await log.seal();
    await fill(log, 100);
    await (await log.trim({ topic: 'a', before: 50, by: 'ada' })).reclaimed;
    await log.append({ records: [], positions: [{ handler: 'h', seq: 17 }] }).durable;
    const folder = join(logFolder(), 'backup');
    const made = await log.backUp({ folder });
    const { manifest, records, log: again } = await restored(folder);
    expect(manifest).toEqual(made);
    expect(made).toMatchObject({ log: log.id, position: 3_100, appendTime: log.lastAppendTime() });
    expect(records).toEqual(readAll(log).map(line));
    expect([again.topics(), again.position('h'), again.acts()]).toEqual([log.topics(), 17, log.acts()]);
    await fill(again, 10);
    expect(again.end()).toBe(3_110);
    // what the old log has behind the backup must not be taken for what comes here
    expect(again.id).not.toBe(log.id);
    expect(again.ancestors).toEqual([{ id: log.id, end: 3_100 }]);
    expect(log.ancestors).toEqual([]);
  });

  test('is taken while records are appended and sealed; it holds all of them up to its position, no more', async () => {
    const log = await openLog(logFolder(), { sealAfter: 500 });
    await fill(log, 5_000);
    let writing = true;
    const written = (async () => {
      for (let i = 0; writing || i < 200; i++)
        await log.append({ records: [rec('a', `k${i % 7}`, `w${i}`)] }).durable;
    })();
    const folder = join(logFolder(), 'backup');
    const manifests = [await log.backUp({ folder }), await log.backUp({ folder })];
    writing = false;
    await written;
    const { manifest, records } = await restored(folder);
    expect(manifest).toEqual(manifests[1]);
    expect(manifest.position).toBeGreaterThan(5_000);
    expect(records).toEqual(readAll(log, 0, manifest.position).map(line));
  });

  test('into the folder of an earlier one copies only what is new', async () => {
    const log = await openLog(logFolder());
    await fill(log, 2_000);
    await log.seal();
    const folder = logFolder();
    await log.backUp({ folder });
    const copied = () => statSync(join(folder, 'segments', '0000000001.segment')).ino;
    const first = copied();
    await fill(log, 10);
    let bytes = 0;
    await log.backUp({ folder, onProgress: done => (bytes = done) });
    expect([bytes, copied()]).toEqual([0, first]);
    await log.seal();
    await log.backUp({ folder, onProgress: done => (bytes = done) });
    expect(bytes).toBeGreaterThan(0);
    expect(readdirSync(folder).sort()).toEqual(['index-2010.lmdb', 'manifest.json', 'segments']);
    expect((await restored(folder)).records).toEqual(readAll(log).map(line));
  });

  test('by links holds the same', async () => {
    const dir = logFolder();
    const log = await openLog(dir);
    await fill(log, 2_000);
    await log.seal();
    // another segment grows from now on
    await (await log.trim({ topic: 'a', before: 10, by: 'ada' })).reclaimed;
    await fill(log, 2_000);
    await log.seal();
    const folder = logFolder();
    await log.backUp({ folder, link: true });
    expect(segmentFiles(dir).map(f => statSync(f).nlink)).toEqual([2, 1]);
    expect((await restored(folder)).records).toEqual(readAll(log).map(line));
  });

  test('of a damaged log is refused, and the one before stays', async () => {
    const dir = logFolder();
    const log = await openEmbeddedLog({ dir, clock: new ManualClock(1_000) });
    await fill(log, 2_000);
    await log.seal();
    const folder = logFolder();
    const before = await log.backUp({ folder });
    await fill(log, 2_000);
    await log.seal();
    flip(segmentFiles(dir)[0]!, 5_000);
    await expect(log.backUp({ folder })).rejects.toMatchObject({
      code: 'data_corrupt',
      data: { file: 'segments/0000000001.segment', from: 0 },
    });
    await log.close();
    expect((await restored(folder)).manifest).toEqual(before);
  });

  test('is given up when the log is closed; the one before stays', async () => {
    const dir = logFolder();
    const log = await openEmbeddedLog({ dir, clock: new ManualClock(1_000) });
    await fill(log, 3_000);
    await log.seal();
    const folder = logFolder();
    let closed: Promise<void> | null = null;
    const onProgress = () => {
      closed ??= log.close();
    };
    await expect(log.backUp({ folder, onProgress })).rejects.toMatchObject({ code: 'log_write_failed' });
    await closed;
    expect(existsSync(join(folder, 'manifest.json'))).toBe(false);
    const again = await openLog(dir);
    await again.backUp({ folder });
    expect((await restored(folder)).records).toHaveLength(3_000);
  });

  test('goes into a folder of its own only, and leaves nothing in any other', async () => {
    const dir = logFolder();
    const log = await openLog(dir);
    await fill(log, 10);
    const folder = logFolder();
    writeFileSync(join(folder, 'letter.txt'), '');
    await expect(log.backUp({ folder })).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(readdirSync(folder)).toEqual(['letter.txt']);
    const own = readdirSync(dir, { recursive: true });
    for (const within of [dir, join(dir, 'segments'), join(dir, 'backup')]) {
      await expect(log.backUp({ folder: within })).rejects.toMatchObject({ code: 'invalid_argument' });
    }
    expect(readdirSync(dir, { recursive: true })).toEqual(own);
    const other = await openLog(logFolder());
    const taken = logFolder();
    await other.backUp({ folder: taken });
    await expect(log.backUp({ folder: taken })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test.each([
    ['a page', ['index.html']],
    ['the log of somebody else', ['index.lmdb', 'segments/0000000001.segment']],
    ['what looks like half a backup', ['index-7.lmdb', 'segments/0000000001.segment']],
  ])('%s is left as it is', async (_, names) => {
    const log = await openLog(logFolder());
    await fill(log, 10);
    const folder = logFolder();
    mkdirSync(join(folder, 'segments'));
    for (const name of names) writeFileSync(join(folder, name), 'dear');
    await expect(log.backUp({ folder })).rejects.toMatchObject({ code: 'invalid_argument' });
    for (const name of names) expect(readFileSync(join(folder, name), 'utf8')).toBe('dear');
  });

  test('a folder that cannot be made is refused, not tried for ever', async () => {
    const log = await openLog(logFolder());
    await fill(log, 10);
    const file = join(logFolder(), 'file');
    writeFileSync(file, '');
    for (const folder of [file, join(file, 'backup'), '/proc/nowhere']) {
      await expect(log.backUp({ folder })).rejects.toMatchObject({ code: 'invalid_argument' });
    }
  });
});

describe('restoring', () => {
  async function backup(): Promise<string> {
    const log = await openLog(logFolder());
    await fill(log, 2_000);
    await log.seal();
    await fill(log, 10);
    const folder = logFolder();
    await log.backUp({ folder });
    return folder;
  }

  test.each([
    ['a flipped bit of a segment', (f: string) => flip(join(f, 'segments', '0000000001.segment'), 700)],
    ['a flipped bit of the index', (f: string) => flip(join(f, 'index-2010.lmdb'), 9_000)],
    ['a cut segment', (f: string) => writeFileSync(join(f, 'segments', '0000000001.segment'), 'x')],
    ['no manifest to read', (f: string) => writeFileSync(join(f, 'manifest.json'), '{')],
  ])('a backup with %s is refused, and leaves no log', async (_, harm) => {
    const folder = await backup();
    harm(folder);
    const dir = join(logFolder(), 'log');
    await expect(restoreLog({ backup: folder, dir })).rejects.toMatchObject({ code: 'data_corrupt' });
    expect(existsSync(dir)).toBe(false);
  });

  test('a backup whose manifest leads out of its folder is refused, and nothing is written there', async () => {
    const folder = await backup();
    const file = join(folder, 'manifest.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as BackupManifest;
    const [segment] = manifest.segments;
    const dir = logFolder();
    for (const name of ['../../escaped', 'segments/../../../escaped', join(dir, 'escaped')]) {
      for (const led of [
        { ...manifest, segments: [{ ...segment, file: name }] },
        { ...manifest, index: { ...manifest.index, file: name } },
      ]) {
        writeFileSync(file, JSON.stringify(led));
        const restoring = restoreLog({ backup: folder, dir: join(dir, 'data', 'log') });
        await expect(restoring).rejects.toMatchObject({
          code: 'data_corrupt',
          message: expect.stringContaining('is no manifest of a backup'),
        });
      }
    }
    expect(readdirSync(dir)).toEqual([]);
  });

  test('over a log that is there is refused', async () => {
    const folder = await backup();
    const dir = logFolder();
    await (await openEmbeddedLog({ dir, clock: new ManualClock(1) })).close();
    await expect(restoreLog({ backup: folder, dir })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('from a folder without a backup is refused', async () => {
    const to = { backup: logFolder(), dir: join(logFolder(), 'log') };
    await expect(restoreLog(to)).rejects.toMatchObject({ code: 'not_found' });
  });
});
