import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PlantedBug } from './planted-bugs.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

export interface Answer {
  /** after how many cases something was found; null: nothing was */
  readonly found: number | null;
  readonly problem?: string;
}

/** A copy of the sources, and of the oracles that read them, in which mistakes can be planted one after the other. */
export class SourceCopy {
  readonly #dir = mkdtempSync(join(tmpdir(), 'millrace-planted-'));

  constructor() {
    const without = (path: string) => !path.endsWith('.test.ts');
    for (const folder of ['src', 'test/oracle', 'test/fuzz', 'test/mutation']) {
      cpSync(join(root, folder), join(this.#dir, folder), { recursive: true, filter: without });
    }
    cpSync(join(root, 'package.json'), join(this.#dir, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(this.#dir, 'node_modules'), 'dir');
  }

  /** Runs the bug's oracle with the mistake in the sources; null: without one. */
  async withBug(bug: PlantedBug, { planted, seed }: { planted: boolean; seed: number }): Promise<Answer> {
    const file = join(this.#dir, 'src', bug.file);
    const before = readFileSync(file, 'utf8');
    if (planted)
      writeFileSync(
        file,
        before.replace(bug.text, () => bug.replacement),
      );
    try {
      const script = join(this.#dir, 'test/mutation/run-oracle.ts');
      const args = [script, bug.oracle, String(seed), String(bug.within)];
      const { stdout } = await run(process.execPath, args, { cwd: this.#dir });
      return JSON.parse(stdout) as Answer;
    } finally {
      writeFileSync(file, before);
    }
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** How often the text stands in the sources that are here now. */
export function occurrences({ file, text }: PlantedBug): number {
  return readFileSync(join(root, 'src', file), 'utf8').split(text).length - 1;
}
