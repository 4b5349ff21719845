import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { faultPoint } from '../core/fault-points.ts';

/** The folders of view versions: which are of no use any more, and when they may go. */
export class VersionFolders {
  readonly #dir: string;
  readonly #obsolete = new Map<string, () => Promise<void>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Not served any more; to be removed with the next commit. `close` releases the files. */
  obsolete(version: string, close: () => Promise<void>): void {
    this.#obsolete.set(version, close);
  }

  /** A commit knows nothing of the obsolete versions: they go. */
  async removeObsolete(): Promise<void> {
    const gone = [...this.#obsolete];
    this.#obsolete.clear();
    for (const [version, close] of gone) {
      await close();
      this.remove(version);
    }
  }

  /** These versions are served again, since no commit was made without them. */
  revive(versions: ReadonlySet<string>): void {
    for (const [version, close] of [...this.#obsolete]) {
      if (!versions.has(version)) continue;
      this.#obsolete.delete(version);
      void close();
    }
  }

  /** Releases the files of the obsolete versions without removing any. */
  async close(): Promise<void> {
    for (const close of this.#obsolete.values()) await close();
    this.#obsolete.clear();
  }

  /** What cannot be removed now (a file held open elsewhere) goes with the next start. */
  remove(version: string): void {
    try {
      faultPoint('deploy.remove');
      rmSync(join(this.#dir, version), { recursive: true, force: true });
    } catch {
      // see above
    }
  }

  /** Removes what builds left behind that a crash cut short. */
  keepOnly(versions: readonly string[]): void {
    for (const name of readdirSync(this.#dir)) if (!versions.includes(name)) this.remove(name);
  }
}
