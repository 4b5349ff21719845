import { statfsSync } from 'node:fs';
import { MillraceError } from '../core/errors.ts';

const MB = 1 << 20;

/**
 * Bytes of the disk that nobody writes into. LMDB does not bear a disk that is full to the last byte: a transaction may
 * fail half-way, and opening a store can end the process. State stops before the log does, so that what can be computed
 * again never takes the room of what cannot.
 */
export const RESERVE = { log: 32 * MB, state: 40 * MB } as const;

/** What the disk of a folder has left for this process, bytes. */
export function freeBytes(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

/** Throws `disk_full` when so many bytes would eat into the reserve. */
export function assertDiskRoom(free: number, bytes: number, reserve: number = RESERVE.log): void {
  if (free < bytes + reserve) throw diskFull(free, reserve);
}

export function diskFull(free: number, reserve: number = RESERVE.log, cause?: unknown): MillraceError {
  return new MillraceError('disk_full', 'the disk that holds the data folder is full', {
    hint: `${Math.floor(free / MB)} MB are free there and ${reserve / MB} MB stay free: make room, then send again`,
    cause,
  });
}

/** Whether an error says so itself: one of ours, or the system's. */
export function saysDiskFull(error: unknown): error is Error {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return code === 'disk_full' || code === 'ENOSPC' || code === 'EDQUOT';
}

/** LMDB's bindings give the reason of a failed commit in a promise of its own: unheard, it ends the process. */
export function hearReason(error: unknown): void {
  (error as { readonly commitError?: Promise<unknown> } | null)?.commitError?.catch(() => {});
}

/** Whether a write failed for want of room. LMDB tells of a page that fitted only in part as of any other failure. */
export function isDiskFull(error: unknown, free: () => number, reserve: number): boolean {
  if (error instanceof MillraceError || saysDiskFull(error)) return saysDiskFull(error);
  try {
    return free() < reserve;
  } catch {
    return false;
  }
}
