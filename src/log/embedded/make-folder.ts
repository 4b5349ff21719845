import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { MillraceError } from '../../core/errors.ts';

/**
 * Makes a folder that a person has named, and those above it, one after the other: where a file system says that
 * nothing can be made in a folder that is there, Node's own recursive way tries for ever.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    throw new MillraceError('invalid_argument', `the folder ${path} cannot be made: ${code}`, {
      hint: 'name a folder on a disk that can be written to',
    });
  }
}
