import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { StoredLog } from '../../src/log/embedded/embedded-log.ts';
import { DataFolder, Running, start } from '../deploy/data-folder.ts';
import { until } from '../until.ts';
import { killedWhileReplaying } from './killed-replay.ts';

/** Every build has its threads that read and write beside it, and writes often. */
const options = { longBuild: 1, foldAfter: 500 };
const LONG = process.env.MILLRACE_LONG === '1';
const ORDERS = 60_000;

/** Arms the threads of builds, which then take long enough for the threads beside them to have a part in it. */
const armed = (fault: string) => ({ MILLRACE_FAULTS_BUILD: fault, SLOWLY: '40' });

function disarm(): void {
  for (const name of Object.keys(armed(''))) delete process.env[name];
}

afterEach(disarm);

/** A folder whose view `large` is built, over a sealed log. */
const made = mkdtempSync(join(tmpdir(), 'millrace-long-build-'));

beforeAll(async () => {
  const folder = new DataFolder(made);
  folder.write('large', "CREATE STREAM large AS SELECT id, amount FROM orders WHERE SLOWLY(customer) = 'c';");
  const server = await Running.start(folder);
  await server.ordersAtOnce(Array.from({ length: ORDERS }, (_, i) => [`o${i}`, 'c', i]));
  await server.caughtUp();
  await (server.log as StoredLog).seal();
  expectAllRows(server);
  await server.stop();
  return () => rmSync(made, { recursive: true, force: true });
});

/** A copy of it, which goes away with the test. */
function filled(): DataFolder {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-long-build-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(made, dir, { recursive: true });
  return new DataFolder(dir);
}

function expectAllRows(server: Running): void {
  const rows = server.rows('large');
  expect(rows.length).toBe(ORDERS);
  expect(rows.findIndex(([id, amount], i) => id !== `o${i}` || amount !== i)).toBe(-1);
}

/** Replays until the fault has come; what is served stays whole. */
async function replayedUntil(server: Running, what: string, came: () => boolean): Promise<void> {
  await until(
    what,
    async () => {
      if (came()) return true;
      if (server.views.deployment.job === null) await server.views.replay('large');
      expect(server.views.status('large').serving).toBe(true);
      return false;
    },
    60_000,
  );
  expectAllRows(server);
}

describe('the threads beside a long build', () => {
  it.each([
    'build.fold-beside@1',
    'build.read-ahead@3',
    ...(LONG ? ['build.fold-beside@3', 'build.read-ahead@1'] : []),
  ])('killed with the process at %s: the old rows are served, and the build begins again', async fault => {
    const folder = filled();
    await killedWhileReplaying(folder, armed(`${fault}=kill`), options);
    const server = await start(folder, options);
    expect(server.reports.join()).toMatch(/the replay of large was cut short/);
    expectAllRows(server);
    await server.caughtUp();
    expect(server.views.status('large')).toMatchObject({ state: 'live', errors: [] });
    expectAllRows(server);
    await until('the half-built version is gone', () => folder.versions().length === 1);
  });

  it('find the disk full while they write: the build waits, says so, and goes on', async () => {
    const folder = filled();
    Object.assign(process.env, armed('build.fold-beside@2+2=ENOSPC'));
    const server = await start(folder, options);
    await replayedUntil(server, 'the disk is full', () =>
      server.reports.some(r => /the build of large waits, the disk is full/.test(r)),
    );
    disarm();
    await server.caughtUp();
    expect(server.views.status('large')).toMatchObject({ state: 'live', errors: [] });
    expectAllRows(server);
  });

  it('cannot write: the build fails by name, the old rows are served, and a replay mends it', async () => {
    const folder = filled();
    Object.assign(process.env, armed('build.fold-beside@2=EIO'));
    const server = await start(folder, options);
    const errors = () => server.views.status('large').errors.join();
    await replayedUntil(server, 'the build fails', () => errors() !== '');
    expect(errors()).toMatch(/the build failed: EIO/);
    await server.stop();
    disarm();
    const again = await start(folder, options);
    await again.views.replay('large');
    await again.caughtUp();
    expect(again.views.status('large')).toMatchObject({ state: 'live', errors: [] });
    expectAllRows(again);
  });
});
