import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { MillraceError } from '../../core/errors.ts';
import { faultPoint } from '../../core/fault-points.ts';
import { type BackupManifest, readManifest } from './backup-manifest.ts';
import { makeFolder } from './make-folder.ts';

/** says, while there is no manifest yet, that the folder was empty and is made into a backup of the log of this id */
const BEGUN = 'backup-begun';

const FILES = /^(manifest\.json(\.part)?|index-\d+\.lmdb(-lock)?|index\.part(-lock)?)$/;
const SEGMENT = /^\d{10}\.segment(\.part)?$/;

/**
 * Prepares a folder for a backup and returns the manifest of the one it holds. Throws, and touches nothing, when it is
 * neither empty nor a backup of this log, finished or begun, holds anything besides, or lies in the log's own folder.
 */
export function openBackupFolder(folder: string, dir: string, id: string): BackupManifest | null {
  const inside = relative(resolve(dir), folder);
  if (inside.split(sep)[0] !== '..' && !isAbsolute(inside)) {
    throw new MillraceError('invalid_argument', `${folder} lies in the folder of the log itself`, {
      hint: 'name a folder of its own',
    });
  }
  const there = statSync(folder, { throwIfNoEntry: false });
  if (there !== undefined && !there.isDirectory()) throw foreign(folder, 'it is a file');
  const names = there === undefined ? [] : readdirSync(folder);
  const manifest = names.length === 0 ? null : readManifest(folder);
  const begun = names.includes(BEGUN) ? readFileSync(join(folder, BEGUN), 'utf8') : null;
  const owner = manifest?.log ?? begun;
  if (names.length > 0 && owner === null) throw foreign(folder, names[0] as string);
  if (owner !== null && owner !== id) {
    throw new MillraceError('invalid_argument', `${folder} holds a backup of another log: ${owner}`, {
      hint: 'name another folder',
    });
  }
  const strange =
    names.find(name => name !== 'segments' && name !== BEGUN && !FILES.test(name)) ??
    segmentsIn(folder).find(name => !SEGMENT.test(name));
  if (strange !== undefined) throw foreign(folder, strange);
  makeFolder(folder);
  if (owner === null) {
    faultPoint('backup.index');
    writeFileSync(join(folder, BEGUN), id);
  }
  makeFolder(join(folder, 'segments'));
  return manifest;
}

/** Removes what no manifest but an earlier one needed. */
export function removeOthers(folder: string, { index, segments }: BackupManifest): void {
  const needed = new Set([index.file, ...segments.map(s => s.file)]);
  const names = [
    ...readdirSync(folder).filter(name => name === BEGUN || (name.startsWith('index') && FILES.test(name))),
    ...segmentsIn(folder)
      .filter(name => SEGMENT.test(name))
      .map(name => `segments/${name}`),
  ];
  for (const name of names) {
    if (needed.has(name)) continue;
    faultPoint('backup.clean');
    rmSync(join(folder, name), { force: true });
  }
}

function segmentsIn(folder: string): readonly string[] {
  const path = join(folder, 'segments');
  return existsSync(path) ? readdirSync(path) : [];
}

function foreign(folder: string, what: string): MillraceError {
  return new MillraceError('invalid_argument', `${folder} holds something else than a backup: ${what}`, {
    hint: 'name a folder that is empty or not there yet',
  });
}
