import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { DataFolder, RunningOptions } from '../deploy/data-folder.ts';

/** Replays `large` in a process of its own, again and again, until it kills itself at a point of the build. */
export async function killedWhileReplaying(
  folder: DataFolder,
  faults: NodeJS.ProcessEnv,
  options: RunningOptions = {},
): Promise<void> {
  const script = join(import.meta.dirname, '..', 'deploy', 'replaying-process.ts');
  const child = spawn(process.execPath, [script, folder.dir, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...faults },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}
