import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { parsePosition } from '../../core/position.ts';
import type { SinkState } from '../sink-target.ts';

/**
 * A change file holds lines of JSON. The first one tells the view, then come its rows as they were when the file was made,
 * then their changes. A line with a position ends what became durable together: what stands behind the last one never
 * happened.
 */
export interface ChangeFile {
  readonly state: SinkState;
  /** bytes up to and with the last line that holds a position */
  readonly length: number;
  /** tells this file from one that has taken its place */
  readonly inode: bigint;
}

const CHUNK = 64 * 1024;
const MARK = Buffer.from('\n{"position":"');
const LONGEST_FIRST_LINE = 4 * 1024 * 1024;

/** Null: there is no such file, or it was never complete. */
export function readChangeFile(path: string): ChangeFile | null {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { size, ino } = fstatSync(file, { bigint: true });
    const head = firstLine(file);
    const last = lastPosition(file, Number(size));
    if (head === null || last === null) return null;
    const { log, seq } = parsePosition(last.token);
    return { state: { log, version: head, position: seq }, length: last.end, inode: ino };
  } finally {
    closeSync(file);
  }
}

/** The version of the view. */
function firstLine(file: number): string | null {
  let line = Buffer.alloc(0);
  let end = -1;
  while (end < 0) {
    const chunk = Buffer.alloc(CHUNK);
    const read = readSync(file, chunk, 0, CHUNK, line.length);
    if (read === 0 || line.length > LONGEST_FIRST_LINE) return null;
    line = Buffer.concat([line, chunk.subarray(0, read)]);
    end = line.indexOf(0x0a);
  }
  try {
    const { version } = JSON.parse(line.toString('utf8', 0, end)) as { readonly version?: unknown };
    return typeof version === 'string' ? version : null;
  } catch {
    return null;
  }
}

/** The last line with a position that is complete, looked for from the end. */
function lastPosition(file: number, size: number): { readonly token: string; readonly end: number } | null {
  let tail = Buffer.alloc(0);
  for (let at = size; at > 0; ) {
    const from = Math.max(0, at - CHUNK);
    const chunk = Buffer.alloc(at - from);
    readSync(file, chunk, 0, chunk.length, from);
    // a mark may lie across two chunks
    tail = Buffer.concat([chunk, tail.subarray(0, Math.min(tail.length, CHUNK))]);
    for (
      let mark = tail.lastIndexOf(MARK);
      mark >= 0;
      mark = mark === 0 ? -1 : tail.lastIndexOf(MARK, mark - 1)
    ) {
      const start = mark + MARK.length;
      const end = tail.indexOf('"}\n', start);
      if (end >= 0) return { token: tail.toString('utf8', start, end), end: from + end + 3 };
    }
    at = from;
  }
  return null;
}
