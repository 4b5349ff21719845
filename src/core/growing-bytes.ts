/** Bytes that are appended to. Hot loops `reserve` once and then write at `length` themselves. */
export class GrowingBytes {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  view: DataView<ArrayBuffer> = new DataView(this.bytes.buffer);
  length = 0;

  /** Makes room for `more` bytes behind `length`; `bytes` and `view` may be new ones. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  append(bytes: Uint8Array): void {
    this.copy(bytes, 0, bytes.length);
  }

  /** Appends bytes [start, end) of others; short stretches without making a view. */
  copy(from: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    const { bytes, length } = this;
    if (end - start > 64) bytes.set(from.subarray(start, end), length);
    else for (let i = start; i < end; i++) bytes[length + i - start] = from[i] as number;
    this.length = length + end - start;
  }
}
