import { assert } from './assert.ts';
import type { Pool } from './batch.ts';
import type { KeyDictionary } from './key-dictionary.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();
/** below this length a loop over ASCII beats the decoder's call */
const SHORT = 24;

/** Decodes UTF-8 bytes [start, end); short ASCII without a call into the decoder. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT) {
    let text = '';
    let i = start;
    for (; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (i === end) return text;
  }
  return decoder.decode(bytes.subarray(start, end));
}

/**
 * A slice pool: id i is the bytes [start[i], end[i]) of `bytes`, or of `extra` when start[i] >= bytes.length (text that
 * does not stand literally in the records: unescaped, converted). Nothing is decoded until it is asked for.
 */
export class SlicePool implements Pool {
  readonly interned = false;
  readonly data: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly #extra: Uint8Array | null;
  #keys: PoolKeys | null;
  #dictionary: KeyDictionary | null;

  /** `dictionary`: numbers the texts of the column that the pool belongs to; `known`: what it has numbered already. */
  constructor(
    data: Uint8Array,
    start: Int32Array,
    end: Int32Array,
    extra: Uint8Array | null = null,
    dictionary: KeyDictionary | null = null,
    known: Int32Array | null = null,
  ) {
    this.data = data;
    this.start = start;
    this.end = end;
    this.#extra = extra;
    this.#dictionary = dictionary;
    this.#keys = dictionary === null || known === null ? null : new PoolKeys(dictionary, this, extra, known);
  }

  /** Numbers of the texts, made when first asked for; null: there are none, or there is no other user of the column. */
  keys(user: object): PoolKeys | null {
    const dictionary = this.#dictionary;
    if (dictionary === null) return null;
    dictionary.usedBy(user);
    if (!dictionary.wanted) return null;
    if (this.#keys === null) {
      if (!dictionary.begin(this.start.length)) {
        this.#dictionary = null;
        return null;
      }
      this.#keys = new PoolKeys(dictionary, this, this.#extra, new Int32Array(this.start.length));
    }
    return this.#keys.generation === dictionary.generation ? this.#keys : null;
  }

  /** all texts stand in `data` */
  get literal(): boolean {
    return this.#extra === null;
  }

  text(id: number): string {
    const start = this.start[id] as number;
    const end = this.end[id] as number;
    const base = this.data.length;
    if (start < base) return decodeText(this.data, start, end);
    return start === end || this.#extra === null ? '' : decodeText(this.#extra, start - base, end - base);
  }

  bytes(id: number): Uint8Array {
    const start = this.start[id] as number;
    const end = this.end[id] as number;
    const base = this.data.length;
    if (start < base || this.#extra === null) return this.data.subarray(start, end);
    return this.#extra.subarray(start - base, end - base);
  }
}

/** The numbers that a dictionary gives to the texts of a pool. */
export class PoolKeys {
  readonly dictionary: KeyDictionary;
  readonly generation: number;
  /** by id of the pool; 0: `of` was not called for it yet */
  readonly known: Int32Array;
  readonly #pool: SlicePool;
  readonly #view: DataView;
  readonly #extra: DataView | null;

  constructor(dictionary: KeyDictionary, pool: SlicePool, extra: Uint8Array | null, known: Int32Array) {
    this.dictionary = dictionary;
    this.generation = dictionary.generation;
    this.known = known;
    this.#pool = pool;
    this.#view = viewOf(pool.data);
    this.#extra = extra === null ? null : viewOf(extra);
  }

  of(id: number): number {
    const { start: starts, end: ends, data } = this.#pool;
    const start = starts[id] as number;
    const end = ends[id] as number;
    const base = data.length;
    const key =
      start < base || this.#extra === null
        ? this.dictionary.idOf(this.#view, start, end)
        : this.dictionary.idOf(this.#extra, start - base, end - base);
    this.known[id] = key;
    return key;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Computed texts or bytes: id i is the i-th value. */
export class ValuePool implements Pool {
  readonly interned = false;
  readonly values: readonly (string | Uint8Array)[];

  constructor(values: readonly (string | Uint8Array)[]) {
    this.values = values;
  }

  text(id: number): string {
    const value = this.values[id];
    assert(value !== undefined, 'no such text in the pool');
    return typeof value === 'string' ? value : decodeText(value, 0, value.length);
  }

  bytes(id: number): Uint8Array {
    const value = this.values[id];
    assert(value !== undefined, 'no such bytes in the pool');
    return typeof value === 'string' ? encoder.encode(value) : value;
  }
}
