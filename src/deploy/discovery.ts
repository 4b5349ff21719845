import { isUtf8 } from 'node:buffer';
import { existsSync, lstatSync, readdirSync, readFileSync, statSync, watch } from 'node:fs';
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
  const filesOf = (folder: string, sources: boolean): ViewFileText[] => {
    const file = (name: string, path: string) => ({
      name: sources ? null : basename(name, '.sql'),
      file: relative(root, path),
    });
    let names: string[];
    const strange: ViewFileText[] = [];
    try {
      const entries = readdirSync(folder, { withFileTypes: true }).filter(e => !e.name.startsWith('.'));
      for (const { name } of entries.filter(e => e.isDirectory() && (sources || e.name !== 'sources'))) {
        const unreadable =
          'this is a folder, and nothing in it is read: views stand in the folder of views itself';
        strange.push({ name: null, file: relative(root, join(folder, name)), text: '', unreadable });
      }
      names = entries
        .filter(e => !e.isDirectory() && e.name.endsWith('.sql') && !e.name.endsWith('.test.sql'))
        .map(e => e.name);
    } catch (error) {
      if (sources && !existsSync(folder)) return [];
      throw error;
    }
    const read = names.slice(0, MAX_FILES).flatMap(name => {
      const path = join(folder, name);
      try {
        const stat = statSync(path);
        if (!stat.isFile()) return [{ ...file(name, path), text: '', unreadable: 'this is no file' }];
        return [
          { ...file(name, path), ...(stat.size > MAX_FILE_BYTES ? tooLarge(stat.size) : textOf(path)) },
        ];
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' && isLink(path)) {
          return [{ ...file(name, path), text: '', unreadable: 'this link leads to no file' }];
        }
        if (code === 'ENOENT') return []; // gone between listing and reading: the next look settles it
        // not the wish to retire the view
        return [{ ...file(name, path), text: '', unreadable: `the file cannot be read: ${code}` }];
      }
    });
    return [...read, ...strange];
  };
  return [...filesOf(join(viewsDir, 'sources'), true), ...filesOf(viewsDir, false)].sort((a, b) =>
    a.file < b.file ? -1 : 1,
  );
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

type FileText = Pick<ViewFileText, 'text' | 'unreadable'>;

function tooLarge(bytes: number): FileText {
  return { text: '', unreadable: `the file has ${bytes} bytes, a view may have ${MAX_FILE_BYTES}` };
}

function textOf(path: string): FileText {
  const bytes = readFileSync(path);
  if (isUtf8(bytes) && !bytes.includes(0)) return { text: bytes.toString('utf8') };
  return { text: '', unreadable: 'the file is not UTF-8 text' };
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
