import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { blockDamage } from './block-layout.ts';
import { damaged } from './damage.ts';
import type { SealedBlock } from './log-environment.ts';
import { segmentFile } from './segment-files.ts';

/** bytes for blocks that are read one after the other */
const MEMORY = 1 << 20;

/** Reads sealed blocks; every block's checksum is checked the first time that this reader meets it. */
export class SegmentReader {
  readonly #dir: string;
  readonly #files = new Map<number, number>();
  #memory = new Uint8Array(0);
  /** offsets of blocks found whole, by segment: what is registered is never written again */
  readonly #whole = new Map<number, Set<number>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * The bytes of blocks that lie side by side in one segment, or null when its file is not there: it may have been
   * replaced since the caller looked. They end before a block that is not whole; throws `data_corrupt` when that is the
   * first. `reuse`: in memory that the next such read takes; `into`: in that memory, which must have room.
   */
  read(blocks: readonly SealedBlock[], reuse = false, into?: Uint8Array): Uint8Array | null {
    const first = blocks[0]!;
    const last = blocks.at(-1)!;
    const file = this.#file(first.segment);
    if (file === null) return null;
    const length = last.offset + last.length - first.offset;
    // not cleared: all of it is read over, or refused
    const bytes = into?.subarray(0, length) ?? this.#fresh(length, reuse);
    const read = readSync(file, bytes, 0, length, first.offset);
    const whole = this.#wholeOf(first.segment);
    for (const block of blocks) {
      if (read === length && whole.has(block.offset)) continue;
      const at = block.offset - first.offset;
      const damage =
        at + block.length > read
          ? 'the file ends within the block'
          : blockDamage(bytes.subarray(at, at + block.length), 0);
      if (damage === null) whole.add(block.offset);
      else if (block === first) throw damaged(blockDamageAt(block, damage));
      else return bytes.subarray(0, at);
    }
    return bytes;
  }

  #fresh(length: number, reuse: boolean): Uint8Array {
    if (!reuse) return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    if (length > this.#memory.length) this.#memory = new Uint8Array(Math.max(length, MEMORY));
    return this.#memory.subarray(0, length);
  }

  /** Lets go of the files of segments that are no more. */
  keepOnly(segments: ReadonlySet<number>): void {
    for (const [segment, file] of this.#files) {
      if (segments.has(segment)) continue;
      closeSync(file);
      this.#files.delete(segment);
      this.#whole.delete(segment);
    }
  }

  close(): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }

  #file(segment: number): number | null {
    const open = this.#files.get(segment);
    if (open !== undefined) return open;
    try {
      const file = openSync(join(this.#dir, segmentFile(segment)), 'r');
      this.#files.set(segment, file);
      return file;
    } catch {
      return null;
    }
  }

  #wholeOf(segment: number): Set<number> {
    let whole = this.#whole.get(segment);
    if (whole === undefined) {
      whole = new Set();
      this.#whole.set(segment, whole);
    }
    return whole;
  }
}

export function blockDamageAt(block: SealedBlock, what: string) {
  const { segment, offset, length, firstSeq, n } = block;
  return { file: segmentFile(segment), offset, length, from: firstSeq, to: firstSeq + n, what };
}
