import { assert } from '../core/assert.ts';
import { GrowingBytes } from '../core/growing-bytes.ts';

/**
 * What a view's rows look like after a change: the row of a key, or none. The wire format between the threads and in
 * the journal: per change a flag byte, key length, value length (u32 LE), sequence (f64 LE), key, value.
 */
export interface RowChange {
  readonly key: Uint8Array;
  /** null: the key has no row any more */
  readonly value: Uint8Array | null;
  /** sequence of the record that caused it */
  readonly seq: number;
}

const HEADER = 17;

/** Takes whole changes (`add`), or one in pieces written into `out`: `begin`, the key, `endKey`, the value, `endValue`. */
export class RowChangeWriter {
  readonly out = new GrowingBytes();
  #at = 0;
  count = 0;

  add(key: Uint8Array, value: Uint8Array | null, seq: number): void {
    this.begin(seq);
    this.out.append(key);
    this.endKey();
    if (value === null) return;
    this.out.append(value);
    this.endValue();
  }

  /** A change whose key is written next. */
  begin(seq: number): void {
    const { out } = this;
    out.reserve(HEADER);
    this.#at = out.length;
    out.view.setFloat64(out.length + 9, seq, true);
    out.length += HEADER;
    this.count++;
  }

  /** The key is complete. The change is the end of its row unless a value follows. */
  endKey(): void {
    const { out } = this;
    out.bytes[this.#at] = 0;
    out.view.setUint32(this.#at + 1, out.length - this.#at - HEADER, true);
    out.view.setUint32(this.#at + 5, 0, true);
  }

  endValue(): void {
    const { out } = this;
    const key = out.view.getUint32(this.#at + 1, true);
    out.bytes[this.#at] = 1;
    out.view.setUint32(this.#at + 5, out.length - this.#at - HEADER - key, true);
  }

  /** The changes so far in bytes of their own; the writer starts anew. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.out.bytes.slice(0, this.out.length);
    this.out.length = 0;
    this.count = 0;
    return bytes;
  }
}

/** Where the key of the change that begins at `at` begins. */
export function changeKey(at: number): number {
  return at + HEADER;
}

/** Where the key of the change that begins at `at` ends. */
export function keyEnd(view: DataView, at: number): number {
  return at + HEADER + view.getUint32(at + 1, true);
}

/** Where the change that begins at `at` ends. */
export function changeEnd(view: DataView, at: number): number {
  return keyEnd(view, at) + view.getUint32(at + 5, true);
}

/** Whether the change that begins at `at` has a row; else it is the end of one. */
export function hasRow(view: DataView, at: number): boolean {
  return view.getUint8(at) === 1;
}

/** How many changes these bytes hold. */
export function countRowChanges(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let count = 0;
  for (let at = 0; at < bytes.length; at = changeEnd(view, at)) count++;
  return count;
}

/** Reads the changes back in order; keys and values are views into `bytes`. */
export function* readRowChanges(bytes: Uint8Array): Generator<RowChange> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    assert(at + HEADER <= bytes.length, 'row changes end inside a header');
    const put = hasRow(view, at);
    const keyEnd = at + HEADER + view.getUint32(at + 1, true);
    const valueEnd = keyEnd + view.getUint32(at + 5, true);
    assert(valueEnd <= bytes.length, 'row changes end inside a row');
    yield {
      key: bytes.subarray(at + HEADER, keyEnd),
      value: put ? bytes.subarray(keyEnd, valueEnd) : null,
      seq: view.getFloat64(at + 9, true),
    };
    at = valueEnd;
  }
}
