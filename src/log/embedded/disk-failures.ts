import { join } from 'node:path';
import { MillraceError } from '../../core/errors.ts';
import { diskFull, hearReason, isDiskFull, RESERVE } from '../../kv/disk-room.ts';
import { lmdbFileDamage } from '../../kv/lmdb-file-check.ts';
import { INDEX_FILE } from './damage.ts';

/** Before LMDB maps it into memory: there, missing bytes are not an error but the end of the process. */
export function refuseCutIndex(dir: string): void {
  const damage = lmdbFileDamage(join(dir, INDEX_FILE));
  if (damage === null) return;
  throw new MillraceError('data_corrupt', `the log's index "${INDEX_FILE}" is damaged: ${damage}`, {
    hint: 'restore the data folder from a backup',
    data: { file: INDEX_FILE },
  });
}

const WRITE_FAILURES: readonly string[] = ['log_write_failed', 'disk_full'];

/** What is told of a write that failed. */
export function writeFailed(cause: unknown, free: () => number): MillraceError {
  hearReason(cause);
  if (cause instanceof MillraceError && WRITE_FAILURES.includes(cause.code)) return cause;
  if (isDiskFull(cause, free, RESERVE.log)) return diskFull(free(), RESERVE.log, cause);
  return new MillraceError('log_write_failed', 'the log could not be written', {
    hint: 'check the disk that holds the data folder',
    cause,
  });
}
