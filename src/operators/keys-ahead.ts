import type { Batch } from '../core/batch.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { KeyLookups } from '../state/key-lookups.ts';
import type { StateTable } from '../state/state-table.ts';
import type { KeyEncoder } from './key-encoder.ts';

/**
 * Rows at a time: what those of all inputs touch stays in the nearest caches until they are taken, and the pages of it
 * in the processor's table of pages.
 */
const ROWS = 32;
/** keys from which on a table does not stay there anyway */
const LARGE = 4096;

/**
 * The keys of the next rows of one input, encoded and hashed once, and what their slots hold loaded before it is needed:
 * loads that do not wait for each other, where row after row each would wait for memory. What the rows in between do to
 * the table does no harm: a slot is looked up when its row comes.
 */
export class KeysAhead {
  readonly #encoder: KeyEncoder;
  readonly #table: StateTable;
  /** what is read or written where a key changes */
  readonly #columns: readonly GrowingColumn[];
  readonly #lookups: KeyLookups;
  /** the bytes of the keys that are prepared */
  #bytes: Uint8Array;
  /** of keys that stand in no record, or have several columns */
  #copies = new Uint8Array(ROWS * 32);
  #batch: Batch | null = null;
  /** rows of the batch that were prepared, and of these the ones that were taken */
  #prepared = 0;
  #taken = 0;

  constructor(encoder: KeyEncoder, table: StateTable, columns: readonly GrowingColumn[]) {
    this.#encoder = encoder;
    this.#table = table;
    this.#columns = columns;
    this.#lookups = table.index.lookups();
    this.#bytes = this.#copies;
  }

  /** The encoder has begun the keys of the batch, whose selected rows come in their order. */
  begin(batch: Batch): void {
    this.#batch = batch;
    this.#prepared = 0;
    this.#taken = 0;
  }

  /** Goes on to the next row. */
  next(): void {
    if (this.#taken === this.#prepared) this.#prepare();
    this.#taken++;
  }

  /** The slot of the row's key, made when unknown (`table.index.isNew`). The key has no NULL. */
  slot(): number {
    return this.#table.slotPrepared(this.#lookups, this.#bytes, (this.#taken - 1) % ROWS);
  }

  #prepare(): void {
    const { sel, n: rows } = this.#batch as Batch;
    const lookups = this.#lookups;
    const from = this.#prepared;
    const n = Math.min(ROWS, (sel === null ? rows : sel.length) - from);
    if (!this.#inPlace(from, n)) this.#copied(from, n);
    this.#prepared = from + n;
    const { index } = this.#table;
    index.prepare(lookups, this.#bytes, n);
    if (index.size < LARGE) return;
    const slots = index.likelySlots(lookups, n);
    for (const column of this.#columns) index.touched ^= column.loadAhead(slots, n);
  }

  /** Where the keys stand in the records that they came with; false: some do not. */
  #inPlace(from: number, n: number): boolean {
    const encoder = this.#encoder;
    const { sel } = this.#batch as Batch;
    let all: Uint8Array | null = null;
    for (let k = 0; k < n; k++) {
      if (!encoder.encode(sel === null ? from + k : (sel[from + k] as number))) return false;
      const { bytes, start, end } = encoder;
      all ??= bytes;
      if (bytes !== all || bytes === encoder.own) return false;
      this.#lookups.set(k, 0, start, end);
    }
    if (all !== null) this.#bytes = all;
    return true;
  }

  #copied(from: number, n: number): void {
    const encoder = this.#encoder;
    const { sel } = this.#batch as Batch;
    let at = 0;
    for (let k = 0; k < n; k++) {
      const found = encoder.encode(sel === null ? from + k : (sel[from + k] as number));
      const { bytes, start, end } = encoder;
      const length = found ? end - start : 0;
      if (at + length > this.#copies.length) this.#grow(at + length);
      const copies = this.#copies;
      // keys are short: a loop beats a view and a copy
      for (let i = 0; i < length; i++) copies[at + i] = bytes[start + i] as number;
      this.#lookups.set(k, 0, at, at + length);
      at += length;
    }
    this.#bytes = this.#copies;
  }

  #grow(size: number): void {
    const grown = new Uint8Array(size * 2);
    grown.set(this.#copies);
    this.#copies = grown;
  }
}
