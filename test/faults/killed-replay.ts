import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { expect, onTestFinished } from 'vitest';
import type { DataFolder, RunningOptions } from '../deploy/data-folder.ts';

/** Replays `large` in a process of its own, again and again, until it kills itself at a point of the build. */
export function killedWhileReplaying(
  folder: DataFolder,
  faults: NodeJS.ProcessEnv,
  options: RunningOptions = {},
): Promise<void> {
  return killed('replaying-process.ts', folder, { faults, options });
}

/** Builds what is new in a process of its own, once, which kills itself at a point of the build. */
export function killedWhileBuilding(
  folder: DataFolder,
  faults: NodeJS.ProcessEnv,
  options: RunningOptions = {},
): Promise<void> {
  return killed('building-process.ts', folder, { faults, options });
}

async function killed(
  process: string,
  folder: DataFolder,
  { faults, options }: { readonly faults: NodeJS.ProcessEnv; readonly options: RunningOptions },
): Promise<void> {
  const script = join(import.meta.dirname, '..', 'deploy', process);
  const child = spawn(execPath, [script, folder.dir, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...env, ...faults },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}
