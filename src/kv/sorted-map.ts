const BLOCK = 256;

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const d = (a[i] as number) - (b[i] as number);
    if (d !== 0) return d;
  }
  return a.length - b.length;
}

interface Entry<V> {
  readonly key: Uint8Array;
  value: V;
}

export interface SortedRange {
  readonly start?: Uint8Array | undefined;
  readonly end?: Uint8Array | undefined;
  readonly reverse?: boolean | undefined;
}

/**
 * A map ordered by its byte keys: a list of sorted blocks of at most 256 entries, split when full. Set, get and delete
 * cost a binary search over the blocks and one inside; iteration is in key order. Do not change it while iterating.
 */
export class SortedMap<V> {
  #blocks: Entry<V>[][] = [[]];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: Uint8Array): V | undefined {
    const block = this.#blocks[this.#blockOf(key)] ?? [];
    const at = lowerBound(block, key);
    const entry = block[at];
    return entry !== undefined && compareBytes(entry.key, key) === 0 ? entry.value : undefined;
  }

  /** Keeps `key` itself: pass bytes that nobody changes. */
  set(key: Uint8Array, value: V): void {
    const index = this.#blockOf(key);
    const block = this.#blocks[index] as Entry<V>[];
    const at = lowerBound(block, key);
    const entry = block[at];
    if (entry !== undefined && compareBytes(entry.key, key) === 0) {
      entry.value = value;
      return;
    }
    block.splice(at, 0, { key, value });
    this.#size++;
    if (block.length > BLOCK) this.#blocks.splice(index + 1, 0, block.splice(BLOCK >> 1));
  }

  delete(key: Uint8Array): boolean {
    const index = this.#blockOf(key);
    const block = this.#blocks[index] as Entry<V>[];
    const at = lowerBound(block, key);
    const entry = block[at];
    if (entry === undefined || compareBytes(entry.key, key) !== 0) return false;
    block.splice(at, 1);
    this.#size--;
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(index, 1);
    return true;
  }

  deleteWhere(matches: (value: V) => boolean): void {
    const kept = this.#blocks.map(b => b.filter(e => !matches(e.value))).filter(b => b.length > 0);
    this.#blocks = kept.length === 0 ? [[]] : kept;
    this.#size = kept.reduce((n, b) => n + b.length, 0);
  }

  clear(): void {
    this.#blocks = [[]];
    this.#size = 0;
  }

  /** entries with start <= key < end, in order or reversed */
  *range({
    start,
    end,
    reverse,
  }: SortedRange = {}): Generator<{ readonly key: Uint8Array; readonly value: V }> {
    if (reverse) {
      for (let b = end === undefined ? this.#blocks.length - 1 : this.#blockOf(end); b >= 0; b--) {
        const block = this.#blocks[b] as Entry<V>[];
        for (let i = (end === undefined ? block.length : lowerBound(block, end)) - 1; i >= 0; i--) {
          const entry = block[i] as Entry<V>;
          if (start !== undefined && compareBytes(entry.key, start) < 0) return;
          yield entry;
        }
      }
      return;
    }
    for (let b = start === undefined ? 0 : this.#blockOf(start); b < this.#blocks.length; b++) {
      const block = this.#blocks[b] as Entry<V>[];
      for (let i = start === undefined ? 0 : lowerBound(block, start); i < block.length; i++) {
        const entry = block[i] as Entry<V>;
        if (end !== undefined && compareBytes(entry.key, end) >= 0) return;
        yield entry;
      }
    }
  }

  /** the last block whose first key is <= key */
  #blockOf(key: Uint8Array): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      const first = this.#blocks[mid]?.[0];
      if (first !== undefined && compareBytes(first.key, key) <= 0) low = mid;
      else high = mid - 1;
    }
    return low;
  }
}

/** first index whose key is >= key */
function lowerBound<V>(block: readonly Entry<V>[], key: Uint8Array): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (compareBytes((block[mid] as Entry<V>).key, key) < 0) low = mid + 1;
    else high = mid;
  }
  return low;
}
