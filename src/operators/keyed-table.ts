import type { Bits, Vec } from '../core/batch.ts';
import { makeBits, setBit } from '../core/bits.ts';
import { SlicePool } from '../core/pool.ts';
import type { SqlType } from '../core/sql-type.ts';
import { grownI32, VecBuilder, valueAt } from '../core/vec.ts';
import { canonicalValue } from '../expr/canonical-value.ts';
import type { ColumnKind, GrowingColumn } from '../state/growing-column.ts';
import type { StateTable } from '../state/state-table.ts';
import { isPlainKey, KeyEncoder } from './key-encoder.ts';

/** One key beside the plain bytes: a prefix that no time has. */
const NULL_KEY = Number.NEGATIVE_INFINITY;

/**
 * A state table whose keys are columns of batches, with an optional number (the window's start) in front. Keys come back
 * as columns: a plain key as slices of the table's own bytes, others from state columns beside it.
 */
export class KeyedTable {
  readonly encoder: KeyEncoder;
  readonly table: StateTable;
  readonly #types: readonly SqlType[];
  readonly #plain: boolean;
  readonly #canonical: readonly ReturnType<typeof canonicalValue>[];
  /** values of the key columns, when the key is not plain */
  readonly #values: readonly GrowingColumn[];
  /** window starts of groups whose plain key is NULL */
  readonly #nullKeys = new Uint8Array(8);
  readonly #nullStart = new Float64Array(this.#nullKeys.buffer);

  constructor(types: readonly SqlType[], table: StateTable) {
    this.#types = types;
    this.encoder = new KeyEncoder(types);
    this.table = table;
    this.#plain = isPlainKey(types);
    this.#canonical = types.map(canonicalValue);
    this.#values = this.#plain ? [] : types.map(() => table.column('val'));
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
      const value = valueAt(vecs[c] as Vec, this.#types[c] as SqlType, i);
      (this.#values[c] as GrowingColumn).values[slot] = this.#canonical[c]?.(value) ?? value;
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
    return this.#plain ? new PlainKeyReader(this.table) : new ValueKeyReader(this.#types, this.#values);
  }
}

export interface KeyReader {
  push(slot: number): void;
  take(): Vec[];
}

class PlainKeyReader implements KeyReader {
  readonly #table: StateTable;
  #start: Int32Array = new Int32Array(256);
  #end: Int32Array = new Int32Array(256);
  #nulls: number[] = [];
  #n = 0;

  constructor(table: StateTable) {
    this.#table = table;
  }

  push(slot: number): void {
    const i = this.#n++;
    if (i >= this.#start.length) {
      this.#start = grownI32(this.#start, i + 1);
      this.#end = grownI32(this.#end, i + 1);
    }
    const { index } = this.#table;
    if (index.prefixOf(slot) === NULL_KEY) this.#nulls.push(i);
    this.#start[i] = index.keyStart(slot);
    this.#end[i] = index.keyEnd(slot);
  }

  take(): Vec[] {
    const n = this.#n;
    let nulls: Bits | null = null;
    for (const i of this.#nulls) {
      nulls ??= makeBits(n);
      setBit(nulls, i);
    }
    const v = new Int32Array(n);
    for (let i = 0; i < n; i++) v[i] = i;
    const pool = new SlicePool(this.#table.index.arena, this.#start, this.#end);
    this.#start = new Int32Array(256);
    this.#end = new Int32Array(256);
    this.#nulls = [];
    this.#n = 0;
    return [{ t: 'str', v, pool, nulls }];
  }
}

class ValueKeyReader implements KeyReader {
  readonly #types: readonly SqlType[];
  readonly #values: readonly GrowingColumn[];
  #built: VecBuilder[];

  constructor(types: readonly SqlType[], values: readonly GrowingColumn[]) {
    this.#types = types;
    this.#values = values;
    this.#built = types.map(t => new VecBuilder(t));
  }

  push(slot: number): void {
    for (let c = 0; c < this.#values.length; c++) {
      const column = this.#values[c] as GrowingColumn;
      (this.#built[c] as VecBuilder).push(column.get(this.#types[c] as SqlType, slot));
    }
  }

  take(): Vec[] {
    const vecs = this.#built.map(b => b.build());
    this.#built = this.#types.map(t => new VecBuilder(t));
    return vecs;
  }
}
