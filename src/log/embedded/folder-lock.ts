import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MillraceError } from '../../core/errors.ts';
import { faultPoint } from '../../core/fault-points.ts';

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** when the process started, in the system's own count; tells a process from a later one of the same pid */
  readonly started: string;
}

export interface FolderLock {
  /** the dead process whose lock was taken over, or null */
  readonly takenOverFrom: number | null;
  release(): void;
}

/**
 * Takes the folder for this process. The lock is a file that names its holder; that of a dead process is taken over.
 * Throws `data_folder_locked` when a living process holds it.
 */
export function lockFolder(dir: string): FolderLock {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'lock');
  const mine: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  const draft = `${path}.${process.pid}`;
  faultPoint('log.lock.take');
  writeFileSync(draft, JSON.stringify(mine));
  try {
    return { takenOverFrom: take(path, draft, dir), release: () => release(path) };
  } finally {
    rmSync(draft, { force: true });
  }
}

function release(path: string): void {
  faultPoint('log.lock.release');
  rmSync(path, { force: true });
}

/** Linking is atomic and fails when the lock exists: exactly one of several takers wins. */
function take(path: string, draft: string, dir: string): number | null {
  let takenOverFrom: number | null = null;
  for (let attempt = 0; ; attempt++) {
    try {
      faultPoint('log.lock.link');
      linkSync(draft, path);
      return takenOverFrom;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === 5) throw error;
    }
    const holder = readHolder(path);
    if (holder !== null && isAlive(holder)) throw locked(dir, holder);
    if (holder !== null) takenOverFrom = holder.pid;
    // set the dead lock aside first: should another taker have been faster, its lock is put back
    const aside = `${draft}.stale`;
    faultPoint('log.lock.set-aside');
    try {
      renameSync(path, aside);
    } catch {
      continue;
    }
    const moved = readHolder(aside);
    if (moved !== null && isAlive(moved)) renameSync(aside, path);
    else rmSync(aside, { force: true });
  }
}

function readHolder(path: string): Holder | null {
  try {
    const { pid, host, started } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>;
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof started !== 'string') return null;
    return { pid, host, started };
  } catch {
    return null;
  }
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

function locked(dir: string, holder: Holder): MillraceError {
  const here = holder.host === hostname();
  const who = here ? `process ${holder.pid}` : `process ${holder.pid} on "${holder.host}"`;
  return new MillraceError('data_folder_locked', `the log folder "${dir}" is in use by ${who}`, {
    hint: here
      ? 'stop that process, or use another data folder'
      : 'stop that process; if its machine is gone, delete the file "lock" in that folder',
    data: { pid: holder.pid, host: holder.host },
  });
}
