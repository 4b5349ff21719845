import {
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MillraceError } from '../../core/errors.ts';
import { faultPoint } from '../../core/fault-points.ts';
import { diskFull, freeBytes, RESERVE, saysDiskFull } from '../../kv/disk-room.ts';

interface Folder {
  readonly path: string;
  readonly id: string;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** when the process started, in the system's own count; tells a process from a later one of the same pid */
  readonly started: string;
  /** when it took the folder, ms */
  readonly since: number | null;
  /** the folder itself, by its path and the file system's own numbers: a copy differs in both */
  readonly folder: Folder | null;
}

export interface FolderLock {
  /** what was found in the folder and set aside: for the one who starts the process */
  readonly takenOver: string | null;
  release(): void;
}

/**
 * Takes the folder for this process. The lock is a file that names its holder; that of a dead process is taken over, and
 * one that came with a copy of another folder.
 * Throws `data_folder_locked` when a living process holds it.
 */
export function lockFolder(dir: string, now: number): FolderLock {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'lock');
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    started: startOf(process.pid),
    since: now,
    folder: folderAt(dir),
  };
  const draft = `${path}.${process.pid}`;
  faultPoint('log.lock.take');
  try {
    writeFileSync(draft, JSON.stringify(mine));
    return { takenOver: take(path, draft, dir), release: () => release(path) };
  } catch (error) {
    if (!saysDiskFull(error)) throw error;
    throw diskFull(freeBytes(dir), RESERVE.log, error);
  } finally {
    rmSync(draft, { force: true });
  }
}

function release(path: string): void {
  faultPoint('log.lock.release');
  rmSync(path, { force: true });
}

/** Linking is atomic and fails when the lock exists: exactly one of several takers wins. */
function take(path: string, draft: string, dir: string): string | null {
  let takenOver: string | null = null;
  for (let attempt = 0; ; attempt++) {
    try {
      faultPoint('log.lock.link');
      linkSync(draft, path);
      return takenOver;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === 5) throw error;
    }
    const holder = readHolder(path);
    if (holder !== null && holds(holder, dir)) throw locked(dir, holder);
    if (holder !== null) {
      takenOver = isAlive(holder)
        ? `the folder is a copy of one that ${nameOf(holder)} has: it is another one from here on`
        : `took over the folder from process ${holder.pid}, which ended without closing the log`;
    }
    // set the dead lock aside first: should another taker have been faster, its lock is put back
    const aside = `${draft}.stale`;
    faultPoint('log.lock.set-aside');
    try {
      renameSync(path, aside);
    } catch {
      continue;
    }
    const moved = readHolder(aside);
    if (moved !== null && holds(moved, dir)) renameSync(aside, path);
    else rmSync(aside, { force: true });
  }
}

function readHolder(path: string): Holder | null {
  try {
    const found = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>;
    const { pid, host, started, since = null, folder = null } = found;
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof started !== 'string') return null;
    return { pid, host, started, since, folder };
  } catch {
    return null;
  }
}

function holds(holder: Holder, dir: string): boolean {
  return isAlive(holder) && !isCopied(holder, dir);
}

/** Told of this machine alone: elsewhere the same folder has another path and other numbers. */
function isCopied({ host, folder }: Holder, dir: string): boolean {
  if (host !== hostname() || folder === null) return false;
  const here = folderAt(dir);
  return folder.path !== here.path && folder.id !== here.id;
}

function folderAt(dir: string): Folder {
  const { dev, ino } = statSync(dir);
  return { path: realpathSync(dir), id: `${dev}:${ino}` };
}

/** A holder on another machine is taken for alive: from here nobody can tell. */
function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(holder.pid) === holder.started;
}

/** Field 22 of Linux's /proc/PID/stat; empty where there is none, and for a process that only waits to be reaped. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

function nameOf({ pid, host }: Holder): string {
  return host === hostname() ? `process ${pid}` : `process ${pid} on "${host}"`;
}

function locked(dir: string, holder: Holder): MillraceError {
  const here = holder.host === hostname();
  const since = holder.since === null ? null : new Date(holder.since).toISOString();
  const who = since === null ? nameOf(holder) : `${nameOf(holder)} since ${since}`;
  return new MillraceError('data_folder_locked', `the log folder "${dir}" is in use by ${who}`, {
    hint: here
      ? 'stop that process, or use another data folder'
      : 'stop that process; if its machine is gone, delete the file "lock" in that folder',
    data: { pid: holder.pid, host: holder.host, since },
  });
}
