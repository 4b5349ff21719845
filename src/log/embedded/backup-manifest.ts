import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MillraceError } from '../../core/errors.ts';

/** One file of a backup. */
export interface BackedUpFile {
  /** relative to the backup's folder */
  readonly file: string;
  /** so many bytes of it belong to the backup; it may have grown since */
  readonly bytes: number;
  /** of these bytes */
  readonly crc32: number;
}

/** What a backup holds: the log at one position. */
export interface BackupManifest {
  readonly format: 1;
  /** id of the log */
  readonly log: string;
  /** sequences [start, position) */
  readonly start: number;
  readonly position: number;
  /** append time of the last record, ms */
  readonly appendTime: number;
  /** when it was made, ms */
  readonly at: number;
  readonly index: BackedUpFile;
  readonly segments: readonly BackedUpFile[];
}

export const MANIFEST = 'manifest.json';
/** names as backups have them: whoever follows a manifest stays in its folder */
const INDEX = /^index-\d+\.lmdb$/;
const SEGMENT = /^segments\/\d{10}\.segment$/;

/** The manifest of a folder; null when there is none. Throws `data_corrupt` for one that cannot be read. */
export function readManifest(folder: string): BackupManifest | null {
  const path = join(folder, MANIFEST);
  if (!existsSync(path)) return null;
  let manifest: Partial<BackupManifest>;
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Partial<BackupManifest>;
  } catch (cause) {
    throw new MillraceError('data_corrupt', `${path} is no manifest of a backup`, { cause });
  }
  const { format, log, position, index, segments } = manifest;
  if (format !== 1) {
    throw new MillraceError('data_corrupt', `${path} has a format that this version does not read`, {
      hint: 'use the version that made the backup',
    });
  }
  if (
    typeof log !== 'string' ||
    !Number.isSafeInteger(position) ||
    !isFile(index, INDEX) ||
    !Array.isArray(segments) ||
    !segments.every(s => isFile(s, SEGMENT))
  ) {
    throw new MillraceError('data_corrupt', `${path} is no manifest of a backup`);
  }
  return manifest as BackupManifest;
}

function isFile(file: Partial<BackedUpFile> | null | undefined, name: RegExp): boolean {
  return (
    typeof file?.file === 'string' &&
    name.test(file.file) &&
    Number.isSafeInteger(file.bytes) &&
    Number.isSafeInteger(file.crc32)
  );
}
