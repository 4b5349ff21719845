import { assert } from '../core/assert.ts';

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

export class RowChangeWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  count = 0;

  add(key: Uint8Array, value: Uint8Array | null, seq: number): void {
    const valueLength = value === null ? 0 : value.length;
    this.#reserve(HEADER + key.length + valueLength);
    const at = this.#length;
    this.#view.setUint8(at, value === null ? 0 : 1);
    this.#view.setUint32(at + 1, key.length, true);
    this.#view.setUint32(at + 5, valueLength, true);
    this.#view.setFloat64(at + 9, seq, true);
    this.#bytes.set(key, at + HEADER);
    if (value !== null) this.#bytes.set(value, at + HEADER + key.length);
    this.#length = at + HEADER + key.length + valueLength;
    this.count++;
  }

  /** The changes so far in bytes of their own; the writer starts anew. */
  take(): Uint8Array<ArrayBuffer> {
    const out = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    this.count = 0;
    return out;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads the changes back in order; keys and values are views into `bytes`. */
export function* readRowChanges(bytes: Uint8Array): Generator<RowChange> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    assert(at + HEADER <= bytes.length, 'row changes end inside a header');
    const put = view.getUint8(at) === 1;
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
