import type { Schema } from './schema.ts';
import type { Value } from './value.ts';

/** A bit set: bit i of word i >> 5. */
export type Bits = Uint32Array;

/**
 * The bytes behind a STRING or BYTES column. An *interned* pool holds each distinct value once (keys: equal ids mean
 * equal values); a *slice* pool points into record bytes and decodes only what is asked for (payload).
 */
export interface Pool {
  readonly interned: boolean;
  /** the value behind an id; decodes UTF-8 */
  text(id: number): string;
  bytes(id: number): Uint8Array;
}

/** A column of n values. Null rows have their bit set in `nulls` and an arbitrary value in `v`. */
export type Vec =
  | { readonly t: 'i32'; readonly v: Int32Array; readonly nulls: Bits | null } // BOOLEAN INT DATE TIME
  | { readonly t: 'i64'; readonly v: BigInt64Array; readonly nulls: Bits | null } // BIGINT, DECIMAL(p<=18) scaled
  | { readonly t: 'f64'; readonly v: Float64Array; readonly nulls: Bits | null } // DOUBLE, TIMESTAMP
  | { readonly t: 'str'; readonly v: Int32Array; readonly pool: Pool; readonly nulls: Bits | null } // STRING BYTES
  | { readonly t: 'val'; readonly v: readonly (Value | null)[] }; // ARRAY MAP STRUCT, DECIMAL(p>18)

/** Changes in columns, ordered by (sequence, index); immutable once emitted. */
export interface Batch {
  readonly schema: Schema;
  readonly n: number;
  readonly cols: readonly Vec[];
  /** global sequence number per row */
  readonly seq: Float64Array;
  /** event time per row, ms */
  readonly rowtime: Float64Array;
  /** `Op` per row; null: all ADD */
  readonly op: Int8Array | null;
  /** rows whose record had a null value; null: none */
  readonly noValue: Bits | null;
  /** selected rows in order; null: all */
  readonly sel: Int32Array | null;
}
