#!/usr/bin/env node
// The way in, in plain JavaScript: finds a Node that can run the sources, or says what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runtimeProblem } from './check-node.mjs';

const problem = runtimeProblem();
if (problem === null) {
  if (!existsSync(fileURLToPath(new URL('../../node_modules/commander', import.meta.url)))) {
    console.error('Millrace finds no installed packages: run `npm ci` first.');
    process.exit(1);
  }
  enableCompileCache?.();
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const pinned = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(pinned) || process.env.MILLRACE_PINNED === '1') {
    console.error(problem);
    process.exit(1);
  }
  const child = spawnSync(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, MILLRACE_PINNED: '1' },
  });
  process.exitCode = child.status ?? 1;
}
