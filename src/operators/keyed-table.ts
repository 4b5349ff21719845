import type { Vec } from '../core/batch.ts';
import type { SqlType } from '../core/sql-type.ts';
import { valueAt, vecKind } from '../core/vec.ts';
import { canonicalValue } from '../expr/canonical-value.ts';
import type { ColumnKind, GrowingColumn } from '../state/growing-column.ts';
import type { StateTable } from '../state/state-table.ts';
import { isPlainKey, KeyEncoder } from './key-encoder.ts';
import { EncodedKeyReader, type KeyReader, NULL_KEY, PlainKeyReader } from './key-readers.ts';

/**
 * A state table whose keys are columns of batches, with an optional number (the window's start) in front. Keys come back
 * as columns, out of the table's own bytes; values that these do not show stand in state columns beside them.
 */
export class KeyedTable {
  readonly encoder: KeyEncoder;
  readonly table: StateTable;
  readonly #types: readonly SqlType[];
  readonly #plain: boolean;
  readonly #canonical: readonly ReturnType<typeof canonicalValue>[];
  /** per key column its values, where the bytes do not show them */
  readonly #values: readonly (GrowingColumn | null)[];
  /** window starts of groups whose plain key is NULL */
  readonly #nullKeys = new Uint8Array(8);
  readonly #nullStart = new Float64Array(this.#nullKeys.buffer);

  constructor(types: readonly SqlType[], table: StateTable) {
    this.#types = types;
    this.encoder = new KeyEncoder(types);
    this.table = table;
    this.#plain = isPlainKey(types);
    this.#canonical = types.map(canonicalValue);
    this.#values = types.map(type => (vecKind(type) === 'val' ? table.column('val') : null));
  }

  column(kind: ColumnKind): GrowingColumn {
    return this.table.column(kind);
  }

  /** The slot of the key of physical row i of the columns begun, made when unknown (`table.index.isNew`). */
  slot(prefix: number, i: number): number {
    const { encoder } = this;
    if (encoder.encode(i)) return this.table.slot(prefix, encoder.bytes, encoder.start, encoder.end);
    this.#nullStart[0] = prefix;
    return this.table.slot(NULL_KEY, this.#nullKeys, 0, 8);
  }

  /** The same for a key that is known to be new. */
  append(prefix: number, i: number): number {
    const { encoder } = this;
    if (encoder.encode(i)) return this.table.append(prefix, encoder.bytes, encoder.start, encoder.end);
    this.#nullStart[0] = prefix;
    return this.table.append(NULL_KEY, this.#nullKeys, 0, 8);
  }

  find(prefix: number, i: number): number {
    const { encoder } = this;
    if (encoder.encode(i)) return this.table.find(prefix, encoder.bytes, encoder.start, encoder.end);
    this.#nullStart[0] = prefix;
    return this.table.find(NULL_KEY, this.#nullKeys, 0, 8);
  }

  /** Keeps the key's values for a slot that is new (or given a key again). */
  keep(slot: number, vecs: readonly Vec[], i: number): void {
    for (let c = 0; c < this.#values.length; c++) {
      const column = this.#values[c];
      if (column === null || column === undefined) continue;
      const value = valueAt(vecs[c] as Vec, this.#types[c] as SqlType, i);
      column.values[slot] = this.#canonical[c]?.(value) ?? value;
    }
  }

  prefixOf(slot: number): number {
    const { index } = this.table;
    const prefix = index.prefixOf(slot);
    if (prefix !== NULL_KEY) return prefix;
    this.#nullKeys.set(index.arena.subarray(index.keyStart(slot), index.keyEnd(slot)));
    return this.#nullStart[0] as number;
  }

  /** Collects keys of slots into columns. */
  reader(): KeyReader {
    return this.#plain
      ? new PlainKeyReader(this.table)
      : new EncodedKeyReader(this.#types, this.table, this.#values);
  }
}
