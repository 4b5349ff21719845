import { afterEach, expect, test, vi } from 'vitest';
import { line, readAll, rec, utf8 } from '../contract/event-log.contract.ts';
import { logFolder, openLog, settled } from './log-folder.ts';

const disk = vi.hoisted(() => ({ full: false }));

// the disk fails here: a batch of writes that LMDB could not commit
vi.mock('lmdb', async importOriginal => {
  const lmdb = await importOriginal<typeof import('lmdb')>();
  return {
    ...lmdb,
    open(options: Parameters<typeof lmdb.open>[0]) {
      const db = lmdb.open(options);
      const batch = db.batch.bind(db);
      db.batch = action => (disk.full ? Promise.reject(new Error('no space left')) : batch(action));
      return db;
    },
  };
});

afterEach(() => {
  disk.full = false;
});

test('appends that cannot become durable are refused, and the log goes on where it was durable', async () => {
  const log = await openLog(logFolder());
  log.createTopic({ name: 'a', partitions: 1, keyIndex: true });
  await log.append({ records: [rec('a', 'k', 'kept')], positions: [{ handler: 'h', seq: 1 }] }).durable;

  disk.full = true;
  const lost = log.append({ records: [rec('a', 'k', 'lost')], positions: [{ handler: 'h', seq: 2 }] });
  await expect(lost.durable).rejects.toMatchObject({ code: 'log_write_failed' });
  expect(log.end()).toBe(1);
  expect(log.position('h')).toBe(1);
  expect(log.lastByKey('a', utf8('k'))?.seq).toBe(0);

  disk.full = false;
  const next = log.append({ records: [rec('a', 'k', 'next')] });
  expect(next.records[0]).toMatchObject({ seq: 1, offset: 1 });
  await settled(log);
  expect(readAll(log).map(line)).toEqual(['0 a/0@0 k=kept', '1 a/0@1 k=next']);
});

test('what was accepted behind a failed commit fails with it: sequences have no gaps', async () => {
  const log = await openLog(logFolder());
  log.createTopic({ name: 'a', partitions: 1, keyIndex: false });
  await settled(log);
  disk.full = true;
  const first = log.append({ records: [rec('a', null, '0')] });
  const failures = [first.durable.catch(e => e.code)];
  await new Promise(resolve => setImmediate(resolve));
  failures.push(log.append({ records: [rec('a', null, '1')] }).durable.catch(e => e.code));
  expect(await Promise.all(failures)).toEqual(['log_write_failed', 'log_write_failed']);
  expect(log.topic('a')?.ends).toEqual([0]);
});

test('a sealing pass that fails leaves the tail as it was', async () => {
  const log = await openLog(logFolder());
  log.createTopic({ name: 'a', partitions: 1, keyIndex: false });
  await log.append({ records: [rec('a', null, '0'), rec('a', null, '1')] }).durable;
  disk.full = true;
  await expect(log.seal()).rejects.toMatchObject({ code: 'log_write_failed' });
  expect(readAll(log)).toHaveLength(2);
  disk.full = false;
  await log.seal();
  expect(readAll(log).map(line)).toEqual(['0 a/0@0 null=0', '1 a/0@1 null=1']);
});

test('a commit leaves the last megabytes of the disk alone, and says so; the log goes on when there is room', async () => {
  let free = 33 << 20;
  const log = await openLog(logFolder(), { freeBytes: () => free });
  log.createTopic({ name: 'a', partitions: 1, keyIndex: false });
  await log.append({ records: [rec('a', null, 'kept')] }).durable;
  free = 32 << 20;
  await expect(log.append({ records: [rec('a', null, 'lost')] }).durable).rejects.toMatchObject({
    code: 'disk_full',
    message: 'the disk that holds the data folder is full',
    hint: expect.stringContaining('32 MB are free'),
  });
  free = 1 << 30;
  await log.append({ records: [rec('a', null, 'next')] }).durable;
  expect(readAll(log).map(line)).toEqual(['0 a/0@0 null=kept', '1 a/0@1 null=next']);
});
