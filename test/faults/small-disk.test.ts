import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { until } from '../until.ts';
import { ServerProcess } from './server-process.ts';

const MB = 1 << 20;

/** A file system of its own in memory, or null where this user may not have one. */
function smallDisk(megabytes: number): string | null {
  if (process.platform !== 'linux') return null;
  const dir = mkdtempSync(join(tmpdir(), 'millrace-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir], { stdio: 'pipe' });
  } catch {
    rmSync(dir, { recursive: true, force: true });
    return null;
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', dir]);
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

const freeOf = (dir: string): number => {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
};

/** Takes room until so much is left, whatever the server writes meanwhile. */
function fill(dir: string, left: number): void {
  for (let more = freeOf(dir) - left; more > 0; more = freeOf(dir) - left) {
    try {
      appendFileSync(join(dir, 'ballast'), new Uint8Array(more));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}

test('a disk that fills up while a server runs: writes are refused with 507, reads and the process go on, all recovers', async context => {
  const disk = smallDisk(160);
  if (disk === null) {
    context.skip('no file system of its own can be mounted here (it takes root)');
    return;
  }
  const views = mkdtempSync(join(tmpdir(), 'millrace-views-'));
  onTestFinished(() => rmSync(views, { recursive: true, force: true }));
  mkdirSync(join(views, 'sources'));
  const write = (name: string, text: string) => writeFileSync(join(views, `${name}.sql`), text);
  write(
    'sources/s',
    "CREATE STREAM s (k STRING KEY, n INT) WITH (KAFKA_TOPIC = 's', VALUE_FORMAT = 'JSON');",
  );
  write('sums', 'CREATE TABLE sums AS SELECT k, SUM(n) AS n, COUNT(*) AS c FROM s GROUP BY k;');

  const server = await ServerProcess.start(join(disk, 'data'), { views });
  onTestFinished(() => server.kill());
  let sent = 0;
  const produce = async (): Promise<{ status: number; body: { code?: string } }> => {
    const response = await fetch(`${server.url}/topics/s/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key: `k${sent % 3}`, value: { n: 1, padding: 'x'.repeat(1_000) } }),
    });
    if (response.ok) sent++;
    return { status: response.status, body: (await response.json()) as { code?: string } };
  };
  const summed = async (view: string): Promise<number> => {
    const response = await fetch(`${server.url}/views/${view}`);
    expect(response.status, `reads of ${view} go on`).toBe(200);
    const { rows } = (await response.json()) as { rows: { c: number }[] };
    return rows.reduce((sum, row) => sum + Number(row.c), 0);
  };
  await until('the topic is there', async () => (await produce()).status === 200);
  for (let i = 0; i < 50; i++) expect((await produce()).status).toBe(200);
  await until('the view is built', async () => (await fetch(`${server.url}/views/sums`)).status === 200);
  await until('the view has seen them', async () => (await summed('sums')) === sent);

  // almost full, then to the last byte, then a view that is to be built on it
  for (const left of [30 * MB, 0]) {
    fill(disk, left);
    await until('writes are refused', async () => (await produce()).status === 507);
    expect((await produce()).body.code).toBe('disk_full');
    const command = await fetch(`${server.url}/invoices/i-1/commands`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'SendInvoice', commandId: `c-${left}` }),
    });
    expect(command.status).toBe(507);
    expect(await summed('sums')).toBe(sent);
  }
  write('more', 'CREATE TABLE more AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;');
  await until('the build waits', () => /the build of more waits, the disk is full/.test(server.printed));
  expect(await summed('sums')).toBe(sent);

  rmSync(join(disk, 'ballast'));
  await until('writes go on', async () => (await produce()).status === 200);
  for (let i = 0; i < 50; i++) expect((await produce()).status).toBe(200);
  await until('the new view is built', async () => (await fetch(`${server.url}/views/more`)).status === 200);
  await until(
    'both have seen all',
    async () => (await summed('sums')) === sent && (await summed('more')) === sent,
  );
  await server.kill();

  // a start on a disk without room is refused in words
  fill(disk, 0);
  await expect(ServerProcess.start(join(disk, 'data'), { views })).rejects.toThrow(/is full \[disk_full\]/);
  await expect(ServerProcess.start(join(disk, 'other'), { views })).rejects.toThrow(/is full \[disk_full\]/);
  rmSync(join(disk, 'ballast'));

  const again = await ServerProcess.start(join(disk, 'data'), { views });
  onTestFinished(() => again.kill());
  const rows = (await (await fetch(`${again.url}/views/sums`)).json()) as { rows: { c: number }[] };
  expect(rows.rows.reduce((sum, row) => sum + Number(row.c), 0)).toBe(sent);
  expect(await again.stop()).toBe(0);
}, 300_000);

test('a log that meets the end of the disk within a commit refuses it, and goes on', async context => {
  const disk = smallDisk(48);
  if (disk === null) {
    context.skip('no file system of its own can be mounted here (it takes root)');
    return;
  }
  // somebody else took the room between the look at the disk and the commit
  const log = await openEmbeddedLog({ dir: join(disk, 'log'), clock: systemClock, freeBytes: () => 1e12 });
  onTestFinished(() => log.close());
  log.createTopic({ name: 'a', partitions: 1, keyIndex: false });
  await log.append({ records: [] }).durable;
  writeFileSync(join(disk, 'ballast'), new Uint8Array(16 * MB));
  const kept: number[] = [];
  let refused = 0;
  for (let i = 0; refused < 3; i++) {
    const value = new Uint8Array(300_000).fill(i);
    await log.append({ records: [{ topic: 'a', key: null, value }] }).durable.then(
      () => kept.push(i % 256),
      error => {
        expect(error).toMatchObject({ code: 'log_write_failed' });
        refused++;
      },
    );
  }
  const values = () => log.readTopic('a', { limit: 10_000 }).map(r => r.value?.[0]);
  expect(kept.length).toBeGreaterThan(10);
  expect(values()).toEqual(kept);
  rmSync(join(disk, 'ballast'));
  await log.append({ records: [{ topic: 'a', key: null, value: new Uint8Array(300_000).fill(7) }] }).durable;
  expect(values()).toEqual([...kept, 7]);
});
