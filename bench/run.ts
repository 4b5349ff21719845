import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HISTORIES } from './history.ts';

/**
 * `npm run bench`: every bench, each alone in its process, one after the other; `npm run bench -- replay log` only
 * those, `--quick` small. Fails when a figure breaks what is promised for it. Then: `node bench/table.ts`.
 */

/** in this order; each is a file of this folder that also runs by itself */
export const BENCHES = [
  'replay',
  'views',
  'scaling',
  'shapes',
  'joins',
  'nexmark',
  'memory',
  'log',
  'replication',
  'commands',
  'reads',
  'startup',
  'bank',
];

function run(names: readonly string[], flags: readonly string[]): readonly string[] {
  const histories = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    return names.filter(name => {
      const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`), ...flags], {
        stdio: 'inherit',
        env: { ...process.env, [HISTORIES]: histories },
      });
      return status !== 0;
    });
  } finally {
    rmSync(histories, { recursive: true, force: true });
  }
}

function main(args: readonly string[]): number {
  const names = args.filter(a => !a.startsWith('--'));
  const unknown = names.filter(n => !BENCHES.includes(n));
  if (unknown.length > 0) {
    process.stderr.write(`no bench ${unknown.join(', ')}; there are ${BENCHES.join(', ')}\n`);
    return 2;
  }
  const flags = args.filter(a => a.startsWith('--'));
  const failed = run(names.length > 0 ? names : BENCHES, flags);
  if (failed.length === 0) return 0;
  process.stderr.write(`failed, or what is promised is missed: ${failed.join(', ')}\n`);
  return 1;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
