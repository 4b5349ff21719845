import type { FileHandle } from 'node:fs/promises';
import { open, rename } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { faultPoint } from '../../core/fault-points.ts';

const CHUNK = 1 << 20;

/** A stretch of a file that is read at once. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
}

/** Pieces of at most 1 MB that cover a file. */
export function chunks(bytes: number): Piece[] {
  const pieces: Piece[] = [];
  for (let offset = 0; offset < bytes; offset += CHUNK) {
    pieces.push({ offset, length: Math.min(CHUNK, bytes - offset) });
  }
  return pieces;
}

export interface CheckedCopy {
  readonly from: string;
  /** null: only read */
  readonly to: string | null;
  /** what to read at once, in order and without gaps, from the beginning of the file */
  readonly pieces: readonly Piece[];
  /** throws when a piece is not as it should be */
  readonly check?: ((piece: Piece, bytes: Uint8Array) => void) | undefined;
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/**
 * Copies a file piece by piece and gives the CRC-32 of what was read. The copy appears under its name when it is complete
 * and on disk. Fewer bytes than asked for are an error of the check, or leave the checksum that there is.
 */
export async function checkedCopy(copy: CheckedCopy): Promise<number> {
  const { from, to, pieces, check, onRead } = copy;
  const source = await open(from, 'r');
  let target: FileHandle | null = null;
  try {
    if (to !== null) {
      faultPoint('backup.file');
      target = await open(`${to}.part`, 'w');
    }
    let sum = 0;
    for (const piece of pieces) {
      const bytes = new Uint8Array(piece.length);
      const { bytesRead } = await source.read(bytes, 0, piece.length, piece.offset);
      const read = bytes.subarray(0, bytesRead);
      check?.(piece, read);
      sum = crc32(read, sum);
      if (target !== null) await writeAll(target, read);
      onRead?.(piece.length);
    }
    if (target === null || to === null) return sum;
    faultPoint('backup.file.sync');
    await target.sync();
    await target.close();
    target = null;
    await rename(`${to}.part`, to);
    return sum;
  } finally {
    await source.close();
    await target?.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    faultPoint('backup.file.write');
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}
