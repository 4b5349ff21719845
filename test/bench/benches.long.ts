import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BENCHES } from '../../bench/run.ts';

/** Contenders that disagree on an answer fail a bench, however small it is. */
it.each(BENCHES)('bench %s runs, small, and its contenders agree', { timeout: 300_000 }, name => {
  const file = join(import.meta.dirname, '..', '..', 'bench', `${name}.ts`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, '--quick'], { encoding: 'utf8' });
  expect(stderr).not.toContain('Error');
  expect([status, stdout.startsWith(`${name} (`)]).toEqual([0, true]);
});
