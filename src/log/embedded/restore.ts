import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MillraceError } from '../../core/errors.ts';
import { faultPoint } from '../../core/fault-points.ts';
import { assertDiskRoom, freeBytes } from '../../kv/disk-room.ts';
import { randomLogId } from '../log-id.ts';
import type { BackedUpFile, BackupManifest } from './backup-manifest.ts';
import { MANIFEST, readManifest } from './backup-manifest.ts';
import { checkedCopy, chunks } from './checked-copy.ts';
import { INDEX_FILE } from './damage.ts';
import { identityValue, openLogDatabase, storedIdentity } from './log-environment.ts';
import { ID_KEY } from './log-keys.ts';
import { makeFolder } from './make-folder.ts';
import { syncFolder } from './segment-writer.ts';
import { isWhole, verifyLog } from './verify.ts';

export interface RestoreOptions {
  /** folder of the backup */
  readonly backup: string;
  /** the log's folder to be; must not hold a log */
  readonly dir: string;
  /** the folder around it: state of another log there would not fit */
  readonly data?: string | undefined;
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

/**
 * Makes a log's folder from a backup, every byte checked. It appears under its name when it is complete, and is a log of
 * its own: what the old one had behind the backup may be known elsewhere, and must not be taken for what comes here. Throws
 * `data_corrupt` for a backup that is not whole, `invalid_argument` when there is a log already.
 */
export async function restoreLog(options: RestoreOptions): Promise<BackupManifest> {
  const { backup, dir, onProgress } = options;
  const manifest = readManifest(backup);
  if (manifest === null) {
    throw new MillraceError('not_found', `there is no backup in ${backup}`, {
      hint: `a backup has a file ${MANIFEST}`,
    });
  }
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new MillraceError('invalid_argument', `${dir} is not empty`, {
      hint: 'name another data folder, or move that one away',
    });
  }
  if (options.data !== undefined && existsSync(join(options.data, 'state'))) {
    throw new MillraceError('invalid_argument', `${join(options.data, 'state')} belongs to another log`, {
      hint: 'remove it: the views are rebuilt; or name another data folder',
    });
  }
  const files = [...manifest.segments, manifest.index];
  const total = files.reduce((sum, f) => sum + f.bytes, 0);
  const part = `${dir}.part`;
  faultPoint('restore.begin');
  rmSync(part, { recursive: true, force: true });
  makeFolder(join(part, 'segments'));
  assertDiskRoom(freeBytes(part), total);
  let done = 0;
  const onRead = (bytes: number): void => {
    done += bytes;
    onProgress?.(done, total);
  };
  for (const file of manifest.segments) await copyFile(backup, file, join(part, file.file), onRead);
  await copyFile(backup, manifest.index, join(part, INDEX_FILE), onRead);
  const verified = await verifyLog(part);
  if (!isWhole(verified) || verified.end !== manifest.position || verified.id !== manifest.log) {
    throw new MillraceError('data_corrupt', `the backup in ${backup} is not whole`, {
      hint: 'use an earlier one',
    });
  }
  await giveName(part, manifest);
  await syncFolder(join(part, 'segments'));
  await syncFolder(part);
  rmSync(dir, { recursive: true, force: true });
  faultPoint('restore.done');
  renameSync(part, dir);
  await syncFolder(dirname(dir));
  return manifest;
}

async function giveName(dir: string, { log, position }: BackupManifest): Promise<void> {
  const db = openLogDatabase(dir);
  try {
    const ancestors = storedIdentity(db)?.ancestors ?? [];
    await db.put(
      ID_KEY,
      identityValue({ id: randomLogId(), ancestors: [...ancestors, { id: log, end: position }] }),
    );
  } finally {
    await db.close();
  }
}

async function copyFile(
  backup: string,
  { file, bytes, crc32 }: BackedUpFile,
  to: string,
  onRead: (bytes: number) => void,
): Promise<void> {
  const from = join(backup, file);
  if (!existsSync(from)) throw damagedBackup(from, 'it is missing');
  const found = await checkedCopy({ from, to, pieces: chunks(bytes), onRead });
  if (found !== crc32) throw damagedBackup(from, 'its checksum does not match');
}

function damagedBackup(file: string, what: string): MillraceError {
  return new MillraceError('data_corrupt', `the file ${file} of the backup is damaged: ${what}`, {
    hint: 'use an earlier backup',
    data: { file },
  });
}
