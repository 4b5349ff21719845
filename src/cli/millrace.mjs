#!/usr/bin/env node
// The way in, in plain JavaScript: finds a Node that can run the sources, or says what is missing.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runtimeProblem } from './check-node.mjs';

const problem = runtimeProblem();
if (problem === null) {
  if (!existsSync(fileURLToPath(new URL('../../node_modules/commander', import.meta.url)))) {
    console.error('Millrace finds no installed packages: run `npm ci` first.');
    process.exit(1);
  }
  const cache = nodeModule.enableCompileCache?.();
  // for the worker threads, which do not share it otherwise
  if (cache?.directory) process.env.NODE_COMPILE_CACHE ??= cache.directory;
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const pinned = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(pinned) && process.env.MILLRACE_PINNED !== '1') runWith(pinned);
  else {
    console.error(problem);
    process.exitCode = 1;
  }
}

/** Stands aside for another Node: same terminal, same signals, same end. */
function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, MILLRACE_PINNED: '1' },
  });
  // Ctrl-C on a terminal reaches the child by itself; a second one would force it
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !onTerminal) child.kill(signal);
    });
  }
  child.on('error', error => {
    console.error(`${problem}\n(${node} does not start: ${error.message})`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
