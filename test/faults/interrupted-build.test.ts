import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { type DataFolder, dataFolder, manyOrders, start } from '../deploy/data-folder.ts';
import { until } from '../until.ts';

// whole servers, on a machine that may be busy
vi.setConfig({ testTimeout: 120_000 });

/** Replays `large` in a process of its own until it kills itself at a point of the build. */
async function killedWhileReplaying(folder: DataFolder, faults: NodeJS.ProcessEnv): Promise<void> {
  const script = join(import.meta.dirname, '..', 'deploy', 'replaying-process.ts');
  const child = spawn(process.execPath, [script, folder.dir], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...faults },
  });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}

const note = (folder: DataFolder): unknown =>
  JSON.parse(readFileSync(join(folder.dir, 'state', 'replays.json'), 'utf8'));

test('a replay that a crash cuts short begins again with the next start, and says so', async () => {
  const folder = dataFolder();
  const first = await start(folder);
  await first.orders(manyOrders(2_000));
  await first.caughtUp();
  const before = folder.versions();
  await first.stop();
  // the first builds were done before: the next one is the replay
  await killedWhileReplaying(folder, { MILLRACE_FAULTS_BUILD: 'build.finish@1=kill' });
  expect(note(folder)).toEqual({ large: 1 });

  const second = await start(folder);
  expect(second.reports).toContain(
    'the replay of large was cut short when the process ended: it begins again',
  );
  expect(second.views.status('large').state).toBe('building');
  await second.expectExact();
  await until('it is crossed off with the next commit', () => JSON.stringify(note(folder)) === '{}');
  // and was done: `large` has another version than before
  const versionOf = (versions: readonly string[]) => versions.filter(v => v.startsWith('large@'));
  expect(versionOf(readdirSync(join(folder.dir, 'state', 'views')))).not.toEqual(versionOf(before));
});

test('a replay that ends the process again and again is given up', async () => {
  const folder = dataFolder();
  const first = await start(folder);
  await first.orders(manyOrders(100));
  await first.caughtUp();
  await first.stop();
  const faults = { MILLRACE_FAULTS_BUILD: 'build.finish@1=kill' };
  for (let i = 0; i < 3; i++) await killedWhileReplaying(folder, faults);
  const last = await start(folder);
  expect(last.reports).toContainEqual(expect.stringContaining('the replay of large is given up'));
  expect(last.views.status('large').state).toBe('live');
  await last.expectExact();
});

test.runIf(process.env.MILLRACE_LONG === '1')(
  'a build of more rows than one fold takes, killed between two of them, is made anew',
  async () => {
    const folder = dataFolder({ ids: 'CREATE STREAM ids AS SELECT id, customer FROM orders;' });
    const first = await start(folder);
    await first.caughtUp();
    await first.orders(manyOrders(1));
    const text = (s: string): Uint8Array => new TextEncoder().encode(s);
    for (let from = 0; from < 120_000; from += 10_000) {
      const records = Array.from({ length: 10_000 }, (_, i) => ({
        topic: 'orders',
        key: text(`o${from + i}`),
        value: text('{"customer":"c","amount":1}'),
        timestamp: 1_000,
      }));
      await first.log.append({ records }).durable;
    }
    await first.stop();
    folder.write(
      'large',
      "CREATE STREAM large WITH (KAFKA_TOPIC = 'large') AS SELECT id, amount FROM orders;",
    );
    await killedWhileReplaying(folder, { MILLRACE_FAULTS_BUILD: 'build.fold@1=kill' });
    const second = await start(folder);
    await second.caughtUp();
    expect([...second.views.open('large').scan()].length).toBe(120_001);
    expect(second.topic('large').length).toBe(120_001);
  },
  60_000,
);
