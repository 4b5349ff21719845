import type { Bits, Vec } from '../core/batch.ts';
import { makeBits, setBit } from '../core/bits.ts';
import { SlicePool } from '../core/pool.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { grownI32, identity, vecKind, wordsOf } from '../core/vec.ts';
import type { GrowingColumn } from '../state/growing-column.ts';
import type { StateTable } from '../state/state-table.ts';

/** One key beside the plain bytes: a prefix that no time has. */
export const NULL_KEY = Number.NEGATIVE_INFINITY;

/** Collects keys of slots; they must live until `take`. What it gives is good until the next key is pushed. */
export interface KeyReader {
  push(slot: number): void;
  take(): Vec[];
}

/** Keys that are one text: slices of the table's own bytes. */
export class PlainKeyReader implements KeyReader {
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
    const pool = new SlicePool(this.#table.index.arena, this.#start, this.#end);
    this.#nulls = [];
    this.#n = 0;
    return [{ t: 'str', v: identity(n), pool, nulls }];
  }
}

/** Columns of one kind that are read from encoded keys, one row after the other. */
interface KeyColumn {
  /** Takes the value that begins behind its presence byte; where the next column begins. */
  read(bytes: DataView, at: number, row: number): number;
  readonly nulls: Bits | null;
  setNull(row: number): void;
  vec(arena: Uint8Array): Vec;
}

/**
 * Keys of several columns or of other types than text, out of the bytes that `KeyEncoder` has made of them; values that
 * these do not show (ARRAY, MAP, STRUCT, large DECIMAL) out of state columns.
 */
export class EncodedKeyReader implements KeyReader {
  readonly #types: readonly SqlType[];
  readonly #table: StateTable;
  readonly #values: readonly (GrowingColumn | null)[];
  #slots: Int32Array = new Int32Array(64);
  #n = 0;

  /** `values`: per column where its values are kept; null: they are in the bytes. */
  constructor(types: readonly SqlType[], table: StateTable, values: readonly (GrowingColumn | null)[]) {
    this.#types = types;
    this.#table = table;
    this.#values = values;
  }

  push(slot: number): void {
    const i = this.#n++;
    if (i >= this.#slots.length) this.#slots = grownI32(this.#slots, i + 1);
    this.#slots[i] = slot;
  }

  take(): Vec[] {
    const n = this.#n;
    const slots = this.#slots;
    const { index } = this.#table;
    const { arena } = index;
    const bytes = new DataView(arena.buffer, arena.byteOffset, arena.byteLength);
    const columns = this.#types.map((type, c) => {
      const values = this.#values[c] ?? null;
      return values === null ? encodedColumn(type, n) : new Kept(values, slots, n);
    });
    for (let i = 0; i < n; i++) {
      let at = index.keyStart(slots[i] as number);
      for (const column of columns) {
        if (arena[at] === 0) {
          column.setNull(i);
          at++;
        } else at = column.read(bytes, at + 1, i);
      }
    }
    this.#n = 0;
    return columns.map(column => column.vec(arena));
  }
}

abstract class Column implements KeyColumn {
  nulls: Bits | null = null;
  protected readonly n: number;

  constructor(n: number) {
    this.n = n;
  }

  setNull(row: number): void {
    this.nulls ??= makeBits(this.n);
    setBit(this.nulls, row);
  }

  abstract read(bytes: DataView, at: number, row: number): number;
  abstract vec(arena: Uint8Array): Vec;
}

class Ints extends Column {
  readonly #v = new Int32Array(this.n);

  read(bytes: DataView, at: number, row: number): number {
    this.#v[row] = bytes.getInt32(at, true);
    return at + 4;
  }

  vec(): Vec {
    return { t: 'i32', v: this.#v, nulls: this.nulls };
  }
}

class Longs extends Column {
  readonly #v = new BigInt64Array(this.n);
  readonly #words = wordsOf(this.#v);

  read(bytes: DataView, at: number, row: number): number {
    this.#words[row * 2] = bytes.getInt32(at, true);
    this.#words[row * 2 + 1] = bytes.getInt32(at + 4, true);
    return at + 8;
  }

  vec(): Vec {
    return { t: 'i64', v: this.#v, nulls: this.nulls };
  }
}

class Doubles extends Column {
  readonly #v = new Float64Array(this.n);

  read(bytes: DataView, at: number, row: number): number {
    this.#v[row] = bytes.getFloat64(at, true);
    return at + 8;
  }

  vec(): Vec {
    return { t: 'f64', v: this.#v, nulls: this.nulls };
  }
}

class Texts extends Column {
  readonly #start = new Int32Array(this.n);
  readonly #end = new Int32Array(this.n);

  read(bytes: DataView, at: number, row: number): number {
    const end = at + 4 + bytes.getInt32(at, true);
    this.#start[row] = at + 4;
    this.#end[row] = end;
    return end;
  }

  vec(arena: Uint8Array): Vec {
    const v = new Int32Array(this.n);
    for (let i = 0; i < this.n; i++) v[i] = i;
    return { t: 'str', v, pool: new SlicePool(arena, this.#start, this.#end), nulls: this.nulls };
  }
}

class Kept extends Column {
  readonly #v: (Value | null)[];

  constructor(values: GrowingColumn, slots: Int32Array, n: number) {
    super(n);
    this.#v = Array.from(
      { length: n },
      (_, i) => (values.values[slots[i] as number] ?? null) as Value | null,
    );
  }

  read(bytes: DataView, at: number): number {
    return at + 4 + bytes.getInt32(at, true);
  }

  vec(): Vec {
    return { t: 'val', v: this.#v };
  }
}

function encodedColumn(type: SqlType, n: number): KeyColumn {
  switch (vecKind(type)) {
    case 'i32':
      return new Ints(n);
    case 'i64':
      return new Longs(n);
    case 'f64':
      return new Doubles(n);
    default:
      return new Texts(n);
  }
}
