import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { systemClock } from '../../src/core/clock.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { bytes, counter, request } from './counter.ts';

const disk = vi.hoisted(() => ({ full: false, commits: 0 }));

// the disk fails here: a batch of writes that LMDB could not commit
vi.mock('lmdb', async importOriginal => {
  const lmdb = await importOriginal<typeof import('lmdb')>();
  return {
    ...lmdb,
    open(options: Parameters<typeof lmdb.open>[0]) {
      const db = lmdb.open(options);
      const batch = db.batch.bind(db);
      db.batch = action => {
        disk.commits++;
        return disk.full ? Promise.reject(new Error('no space left')) : batch(action);
      };
      return db;
    },
  };
});

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-full-'));
});

afterEach(() => {
  disk.full = false;
  rmSync(dir, { recursive: true, force: true });
});

test('commands of a failed append are told so, count for nothing, and can be sent again', async () => {
  const log = await openEmbeddedLog({ dir, clock: systemClock });
  const errors: unknown[] = [];
  const runtime = new CommandRuntime({ log, entity: counter, onError: e => errors.push(e) });
  const heard: string[] = [];
  runtime.onEvent('a', e => heard.push(e.commandId));
  const send = (commandId: string) => runtime.submit(request('a', { by: 1 }, { commandId }));
  expect((await send('kept')).version).toBe(1);

  disk.full = true;
  const lost = await Promise.allSettled([send('1'), send('2'), send('1')]);
  for (const outcome of lost) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'log_write_failed' } });
  }
  expect(runtime.result('1')).toBeNull();
  await expect(runtime.enqueue(request('a', { by: 1 }))).rejects.toMatchObject({ code: 'log_write_failed' });

  disk.full = false;
  expect((await send('1')).version).toBe(2);
  log.append({
    records: [
      {
        topic: 'counter-commands',
        key: bytes('a'),
        value: bytes('{"type":"Add","commandId":"other","data":{"by":1}}'),
      },
    ],
  });
  expect((await send('2')).version).toBe(4);
  expect(heard).toEqual(['kept', '1', 'other', '2']);
  expect(errors).toEqual([]);
  runtime.close();
  await log.close();
});

test('a command and its result are durable with one commit', async () => {
  const log = await openEmbeddedLog({ dir, clock: systemClock });
  const runtime = new CommandRuntime({ log, entity: counter, onError: () => {} });
  await runtime.submit(request('a', { by: 1 }));
  const before = disk.commits;
  await Promise.all([runtime.submit(request('a', { by: 1 })), runtime.submit(request('b', { by: 1 }))]);
  expect(disk.commits - before).toBe(1);
  runtime.close();
  await log.close();
});

test('a topic without the index that the handler needs is refused at the start', async () => {
  const log = await openEmbeddedLog({ dir, clock: systemClock });
  log.createTopic({ name: 'counter-events', partitions: 1, keyIndex: false });
  const start = () => new CommandRuntime({ log, entity: counter, onError: () => {} });
  expect(start).toThrow(/topic "counter-events" has no key index/);
  await log.close();
});
