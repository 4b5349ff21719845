import { capacityFor } from './vec.ts';

/**
 * Memory for a column of batches that come one after the other: the next batch's rows take the place of those
 * before. What an array holds when it is given out is left over, but for that of `zeros`.
 */
export class ColumnMemory {
  #i32 = new Int32Array(0);
  #f64 = new Float64Array(0);
  #i64 = new BigInt64Array(0);
  #end = new Int32Array(0);
  #zeros = new Int32Array(0);
  #i8 = new Int8Array(0);

  i32(n: number): Int32Array {
    if (n > this.#i32.length) this.#i32 = new Int32Array(capacityFor(n, this.#i32.length));
    return this.#i32;
  }

  f64(n: number): Float64Array {
    if (n > this.#f64.length) this.#f64 = new Float64Array(capacityFor(n, this.#f64.length));
    return this.#f64;
  }

  i64(n: number): BigInt64Array {
    if (n > this.#i64.length) this.#i64 = new BigInt64Array(capacityFor(n, this.#i64.length));
    return this.#i64;
  }

  i8(n: number): Int8Array {
    if (n > this.#i8.length) this.#i8 = new Int8Array(capacityFor(n, this.#i8.length));
    return this.#i8;
  }

  /** A second one beside `i32`. */
  end(n: number): Int32Array {
    if (n > this.#end.length) this.#end = new Int32Array(capacityFor(n, this.#end.length));
    return this.#end;
  }

  zeros(n: number): Int32Array {
    if (n > this.#zeros.length) this.#zeros = new Int32Array(capacityFor(n, this.#zeros.length));
    else this.#zeros.fill(0, 0, n);
    return this.#zeros;
  }
}
