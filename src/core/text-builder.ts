import { SlicePool } from './pool.ts';

const encoder = new TextEncoder();
/** bytes of texts whose memory is kept for the next ones */
const KEPT_BYTES = 4 << 20;

/** Collects texts (or bytes) by row into one stretch of bytes: copied as they are, without a string for each. */
export class TextBuilder {
  #bytes: Uint8Array;
  #length = 0;
  #start: Int32Array;
  #end: Int32Array;
  /** one more than the last row set */
  #rows = 0;

  constructor(rows: number) {
    this.#bytes = new Uint8Array(rows * 16);
    this.#start = new Int32Array(rows);
    this.#end = new Int32Array(rows);
  }

  /** Begins anew, in the memory of what was built last: that is no more. */
  restart(): void {
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(0);
    this.#start.fill(0, 0, this.#rows);
    this.#end.fill(0, 0, this.#rows);
    this.#rows = 0;
    this.#length = 0;
  }

  /** The text of row i: bytes [start, end), UTF-8. Each row is set once at most; others are empty. */
  set(i: number, bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(i, end - start);
    const own = this.#bytes;
    let at = this.#length;
    this.#start[i] = at;
    // texts are short: a loop beats a view and a copy
    for (let from = start; from < end; from++) own[at++] = bytes[from] as number;
    this.#end[i] = at;
    this.#length = at;
  }

  setString(i: number, text: string): void {
    this.#reserve(i, text.length * 3);
    this.#start[i] = this.#length;
    this.#length += writeUtf8(text, this.#bytes, this.#length);
    this.#end[i] = this.#length;
  }

  #reserve(i: number, length: number): void {
    if (i >= this.#rows) this.#rows = i + 1;
    if (i >= this.#start.length) {
      const rows = Math.max(64, i + 1, this.#start.length * 2);
      this.#start = copied(this.#start, new Int32Array(rows));
      this.#end = copied(this.#end, new Int32Array(rows));
    }
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    this.#bytes = copied(this.#bytes, new Uint8Array(Math.max(1024, needed, this.#bytes.length * 2)));
  }

  /** Ids are rows; nothing is set after it. For at least so many rows. */
  build(rows: number): SlicePool {
    if (rows > 0) this.#reserve(rows - 1, 0);
    return new SlicePool(this.#bytes, this.#start, this.#end);
  }
}

function copied<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Writes a text as UTF-8, for which there is room; how many bytes. ASCII without a call into the encoder. */
export function writeUtf8(text: string, to: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return encoder.encodeInto(text, to.subarray(at)).written;
    to[at + i] = code;
  }
  return text.length;
}
