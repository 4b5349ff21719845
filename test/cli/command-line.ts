import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const projectDir = fileURLToPath(new URL('../../', import.meta.url));
export const entry = join(projectDir, 'src', 'cli', 'millrace.mjs');

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly node?: string;
}

/** Runs the real command line to its end. */
export async function millrace(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = launch(args, options);
  child.stdin?.end(options.input ?? '');
  return ended(child);
}

/** Runs a script in a shell, in the project's folder. */
export function runScript(script: string, options: RunOptions = {}): Promise<Ran> {
  const child = spawn('bash', ['-c', script], {
    cwd: options.cwd ?? projectDir,
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
  });
  child.stdin.end();
  return ended(child);
}

export function launch(args: readonly string[], options: RunOptions = {}): ChildProcess {
  return spawn(options.node ?? process.execPath, [entry, ...args], {
    cwd: options.cwd ?? projectDir,
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
  });
}

export async function ended(child: ChildProcess): Promise<Ran> {
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  const [out, err, [code, signal]] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    exit,
  ]);
  return { code, signal, out, err };
}

/** A new empty folder, removed by `removeFolders`. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
