import { statfsSync } from 'node:fs';
import { MillraceError } from '../../core/errors.ts';

/**
 * Bytes of the disk that commits leave alone. LMDB does not bear a disk that fills up within a transaction (its bindings
 * end the process then), and the views' state, which is written without asking, lives there too.
 */
const RESERVE = 32 << 20;
const MB = 1 << 20;

/** What the disk of a folder has left for this process, bytes. */
export function freeBytes(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

/** Throws `log_write_failed` when a commit of so many bytes would eat into the reserve. */
export function assertDiskRoom(free: number, bytes: number): void {
  if (free >= bytes + RESERVE) return;
  throw new MillraceError('log_write_failed', 'the disk that holds the data folder is full', {
    hint: `${Math.floor(free / MB)} MB are free there and ${RESERVE / MB} MB stay free: make room, then send again`,
  });
}
