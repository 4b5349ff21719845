import { existsSync, readdirSync, readFileSync, statSync, watch } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { ViewFileText } from './planned-views.ts';

/** bounds on what a folder may hold, so that a stray file cannot exhaust memory */
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_FILES = 5_000;
const SETTLE = 60;
/** file systems that tell of no change (network folders) are looked at this often */
const POLL = 2_000;

/**
 * Reads `views/*.sql` and `views/sources/*.sql`, sorted by path. Names are shown relative to `root`.
 * Throws when the folder cannot be read: that is not the wish to retire every view.
 */
export function readViewFiles(viewsDir: string, root: string): ViewFileText[] {
  const read = (folder: string, sources: boolean): ViewFileText[] => {
    let names: string[];
    try {
      names = readdirSync(folder).filter(
        n => n.endsWith('.sql') && !n.endsWith('.test.sql') && !n.startsWith('.'),
      );
    } catch (error) {
      if (sources && !existsSync(folder)) return [];
      throw error;
    }
    return names.slice(0, MAX_FILES).flatMap(name => {
      const path = join(folder, name);
      try {
        const stat = statSync(path);
        if (!stat.isFile()) return [];
        const text =
          stat.size > MAX_FILE_BYTES
            ? `-- ${stat.size} bytes: larger than a view may be\n;`
            : readFileSync(path, 'utf8');
        return [{ name: sources ? null : basename(name, '.sql'), file: relative(root, path), text }];
      } catch {
        return []; // gone between listing and reading: the next look settles it
      }
    });
  };
  return [...read(join(viewsDir, 'sources'), true), ...read(viewsDir, false)].sort((a, b) =>
    a.file < b.file ? -1 : 1,
  );
}

/** Calls `changed` after files of the folder changed, once they have been quiet for a moment. Returns how to stop. */
export function watchViewFiles(viewsDir: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | null = null;
  const soon = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(changed, SETTLE);
  };
  const watchers = [viewsDir, join(viewsDir, 'sources')].flatMap(folder => {
    try {
      const watcher = watch(folder, soon);
      watcher.on('error', () => watcher.close());
      return [watcher];
    } catch {
      return [];
    }
  });
  const poll = setInterval(changed, POLL);
  return () => {
    if (timer !== null) clearTimeout(timer);
    clearInterval(poll);
    for (const watcher of watchers) watcher.close();
  };
}
