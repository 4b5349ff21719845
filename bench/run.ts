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
const BENCHES = ['replay', 'enrich', 'log'];

const args = process.argv.slice(2);
const flags = args.filter(a => a.startsWith('--'));
const names = args.filter(a => !a.startsWith('--'));
const unknown = names.filter(n => !BENCHES.includes(n));
if (unknown.length > 0) {
  process.stderr.write(`no bench ${unknown.join(', ')}; there are ${BENCHES.join(', ')}\n`);
  process.exit(2);
}

const histories = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
const failed: string[] = [];
try {
  for (const name of names.length > 0 ? names : BENCHES) {
    const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`), ...flags], {
      stdio: 'inherit',
      env: { ...process.env, [HISTORIES]: histories },
    });
    if (status !== 0) failed.push(name);
  }
} finally {
  rmSync(histories, { recursive: true, force: true });
}
if (failed.length > 0) {
  process.stderr.write(`failed, or below a floor: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
