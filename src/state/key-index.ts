import { assert } from '../core/assert.ts';
import type { Bits } from '../core/batch.ts';
import { bitAt, clearBit, makeBits, setBit } from '../core/bits.ts';
import { grownBits } from '../core/vec.ts';

/** bytes of removed keys that are put up with before the rest is moved together */
const TOLERATED_GARBAGE = 64 * 1024;
const EMPTY = 0;

/**
 * Keys (a number and bytes) to dense slots: open addressing over integers, the bytes of all keys in one arena.
 * A slot stays the same while its key lives and is given again to another key after `remove`.
 * Bytes that were given out (`arena`) are never overwritten: whoever emitted them may keep them.
 */
export class KeyIndex {
  /** pairs of slot + 1 (or 0) and hash, so that a probe mostly stays in one cache line */
  #table = new Int32Array(2 * 64);
  #mask = 63;
  /** per slot 16 bytes: where its bytes begin and end (an end of -1: no key), and the prefix: one cache line to compare */
  #slots = new ArrayBuffer(16 * 64);
  #range = new Int32Array(this.#slots);
  #prefix = new Float64Array(this.#slots);
  #hash = new Int32Array(64);
  #arena = new Uint8Array(1024);
  #arenaLength = 0;
  #garbage = 0;
  #free: number[] = [];
  #high = 0;
  /** keys that were appended and are not in the table yet, among slots that are no such keys any more */
  #waiting: number[] = [];
  #waits: Bits = makeBits(64);
  #waitingCount = 0;

  /** keys that live */
  get size(): number {
    return this.#high - this.#free.length;
  }

  /** one more than the largest slot ever given */
  get high(): number {
    return this.#high;
  }

  get bytes(): number {
    return this.#table.byteLength + this.#hash.length * 20 + this.#waits.byteLength + this.#arena.byteLength;
  }

  /** the bytes behind `keyStart` and `keyEnd`; read it anew after an insertion */
  get arena(): Uint8Array {
    return this.#arena;
  }

  keyStart(slot: number): number {
    return this.#range[slot * 4] as number;
  }

  keyEnd(slot: number): number {
    return this.#range[slot * 4 + 1] as number;
  }

  prefixOf(slot: number): number {
    return this.#prefix[slot * 2 + 1] as number;
  }

  lives(slot: number): boolean {
    return slot < this.#high && this.#range[slot * 4 + 1] !== -1;
  }

  /** The slot of a key, or -1. */
  find(prefix: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.#waitingCount > 0) this.#linkWaiting();
    return this.#probe(prefix, bytes, start, end, hashOf(prefix, bytes, start, end));
  }

  /** The slot of a key; a new one (`isNew` is then true until the next call) when it is unknown. */
  insert(prefix: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.#waitingCount > 0) this.#linkWaiting();
    const hash = hashOf(prefix, bytes, start, end);
    const found = this.#probe(prefix, bytes, start, end, hash);
    this.isNew = found < 0;
    return found >= 0 ? found : this.#add(prefix, bytes, start, end, hash);
  }

  isNew = false;

  /**
   * A new slot for a key that the caller knows to be new. It is hashed only when somebody looks for a key by its bytes,
   * which most keys that come and go with a window never see.
   */
  append(prefix: number, bytes: Uint8Array, start: number, end: number): number {
    const own = this.#keep(bytes, start, end);
    const slot = this.#free.pop() ?? this.#high++;
    if (slot >= this.#hash.length) this.#growSlots(slot + 1);
    this.#range[slot * 4] = own;
    this.#range[slot * 4 + 1] = own + end - start;
    this.#prefix[slot * 2 + 1] = prefix;
    if (this.#waiting.length > this.#waitingCount * 2 + 1024) this.#pruneWaiting();
    this.#waits = grownBits(this.#waits, slot + 1);
    setBit(this.#waits, slot);
    this.#waiting.push(slot);
    this.#waitingCount++;
    this.isNew = true;
    return slot;
  }

  #pruneWaiting(): void {
    this.#waiting = [];
    for (let slot = 0; slot < this.#high; slot++) if (bitAt(this.#waits, slot)) this.#waiting.push(slot);
  }

  #linkWaiting(): void {
    let places = this.#mask + 1;
    while (places < this.size * 2) places *= 2;
    if (places > this.#mask + 1) this.#rehash(places);
    for (const slot of this.#waiting) {
      if (!bitAt(this.#waits, slot)) continue;
      clearBit(this.#waits, slot);
      const hash = hashOf(this.prefixOf(slot), this.#arena, this.keyStart(slot), this.keyEnd(slot));
      this.#hash[slot] = hash;
      this.#link(slot, hash);
    }
    this.#waiting = [];
    this.#waitingCount = 0;
  }

  /** Where a copy of the bytes begins in the arena. */
  #keep(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (this.#arenaLength + length > this.#arena.length) {
      const grown = new Uint8Array(Math.max(this.#arena.length * 2, this.#arenaLength + length));
      grown.set(this.#arena.subarray(0, this.#arenaLength));
      this.#arena = grown;
    }
    const arena = this.#arena;
    const own = this.#arenaLength;
    for (let i = 0; i < length; i++) arena[own + i] = bytes[start + i] as number;
    this.#arenaLength = own + length;
    return own;
  }

  #probe(prefix: number, bytes: Uint8Array, start: number, end: number, hash: number): number {
    const table = this.#table;
    const mask = this.#mask;
    const length = end - start;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = table[at * 2] as number;
      if (entry === EMPTY) return -1;
      if (table[at * 2 + 1] !== hash) continue;
      const slot = entry - 1;
      const own = this.#range[slot * 4] as number;
      if ((this.#range[slot * 4 + 1] as number) - own !== length || this.#prefix[slot * 2 + 1] !== prefix)
        continue;
      const arena = this.#arena;
      let i = 0;
      while (i < length && arena[own + i] === bytes[start + i]) i++;
      if (i === length) return slot;
    }
  }

  #add(prefix: number, bytes: Uint8Array, start: number, end: number, hash: number): number {
    if ((this.size + 1) * 2 > this.#mask + 1) this.#rehash((this.#mask + 1) * 2);
    const slot = this.#free.pop() ?? this.#high++;
    if (slot >= this.#hash.length) this.#growSlots(slot + 1);
    this.#write(slot, prefix, bytes, start, end, hash);
    return slot;
  }

  #write(slot: number, prefix: number, bytes: Uint8Array, start: number, end: number, hash: number): void {
    const own = this.#keep(bytes, start, end);
    this.#range[slot * 4] = own;
    this.#range[slot * 4 + 1] = own + end - start;
    this.#prefix[slot * 2 + 1] = prefix;
    this.#hash[slot] = hash;
    this.#link(slot, hash);
  }

  /** Removes many keys at once; cheaper than one by one when they are a large part. */
  removeAll(slots: readonly number[]): void {
    if (slots.length * 8 < this.size) {
      for (const slot of slots) this.remove(slot);
      return;
    }
    let linked = false;
    for (const slot of slots) {
      assert(this.lives(slot), 'the slot holds no key');
      linked ||= !bitAt(this.#waits, slot);
      this.#release(slot);
    }
    if (linked) this.#rehash(this.#mask + 1);
    if (this.#garbage > TOLERATED_GARBAGE && this.#garbage * 2 > this.#arenaLength) this.#compact();
  }

  #release(slot: number): void {
    this.#garbage += this.keyEnd(slot) - this.keyStart(slot);
    this.#range[slot * 4 + 1] = -1;
    this.#free.push(slot);
    if (this.#waitingCount === 0 || !bitAt(this.#waits, slot)) return;
    clearBit(this.#waits, slot);
    this.#waitingCount--;
  }

  remove(slot: number): void {
    assert(this.lives(slot), 'the slot holds no key');
    if (!bitAt(this.#waits, slot)) this.#unlink(slot);
    this.#release(slot);
    if (this.#garbage > TOLERATED_GARBAGE && this.#garbage * 2 > this.#arenaLength) this.#compact();
  }

  #unlink(slot: number): void {
    const table = this.#table;
    const mask = this.#mask;
    let hole = (this.#hash[slot] as number) & mask;
    while (table[hole * 2] !== slot + 1) hole = (hole + 1) & mask;
    // move later entries of the cluster back (Knuth 6.4, algorithm R): no tombstones
    for (let at = (hole + 1) & mask; table[at * 2] !== EMPTY; at = (at + 1) & mask) {
      const home = (table[at * 2 + 1] as number) & mask;
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        table[hole * 2] = table[at * 2] as number;
        table[hole * 2 + 1] = table[at * 2 + 1] as number;
        hole = at;
      }
    }
    table[hole * 2] = EMPTY;
  }

  #link(slot: number, hash: number): void {
    let at = hash & this.#mask;
    while (this.#table[at * 2] !== EMPTY) at = (at + 1) & this.#mask;
    this.#table[at * 2] = slot + 1;
    this.#table[at * 2 + 1] = hash;
  }

  #rehash(places: number): void {
    this.#table = new Int32Array(places * 2);
    this.#mask = places - 1;
    for (let slot = 0; slot < this.#high; slot++) {
      if (this.lives(slot) && !bitAt(this.#waits, slot)) this.#link(slot, this.#hash[slot] as number);
    }
  }

  #growSlots(needed: number): void {
    const length = Math.max(needed, this.#hash.length * 2);
    const old = this.#range;
    this.#slots = new ArrayBuffer(16 * length);
    this.#range = new Int32Array(this.#slots);
    this.#range.set(old);
    this.#prefix = new Float64Array(this.#slots);
    const hash = new Int32Array(length);
    hash.set(this.#hash);
    this.#hash = hash;
  }

  /** Live keys into a new arena; the old one stays as it was for those who still read it. */
  #compact(): void {
    const old = this.#arena;
    const arena = new Uint8Array(Math.max(1024, (this.#arenaLength - this.#garbage) * 2));
    let at = 0;
    for (let slot = 0; slot < this.#high; slot++) {
      if (!this.lives(slot)) continue;
      const end = this.keyEnd(slot);
      let from = this.keyStart(slot);
      this.#range[slot * 4] = at;
      // keys are short: a loop beats a view and a copy
      while (from < end) arena[at++] = old[from++] as number;
      this.#range[slot * 4 + 1] = at;
    }
    this.#arena = arena;
    this.#arenaLength = at;
    this.#garbage = 0;
  }

  /** Room for slots below `high`, none of which has a key until it is placed: for an index that is empty. */
  begin(high: number): void {
    assert(this.#high === 0, 'an index is filled once');
    this.#growSlots(Math.max(64, high));
    for (let slot = 0; slot < high; slot++) this.#range[slot * 4 + 1] = -1;
    let places = 64;
    while (places < high * 2) places *= 2;
    this.#rehash(places);
    this.#high = high;
  }

  /** Gives a slot the key that it had. After the last one comes `end`. */
  place(slot: number, prefix: number, bytes: Uint8Array, start: number, end: number): void {
    this.#write(slot, prefix, bytes, start, end, hashOf(prefix, bytes, start, end));
  }

  /** Slots without a key are given to others. */
  end(): void {
    for (let slot = this.#high - 1; slot >= 0; slot--) if (!this.lives(slot)) this.#free.push(slot);
  }
}

/** Four bytes at a time with MurmurHash3's mixing. */
function hashOf(prefix: number, bytes: Uint8Array, start: number, end: number): number {
  let h = (Math.imul(prefix | 0, 0x9e3779b1) ^ Math.floor(prefix / 4294967296)) | 0;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    let k =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    k = Math.imul(k, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let tail = end - start;
  for (; i < end; i++) tail = Math.imul(tail, 31) + (bytes[i] as number);
  h ^= Math.imul(tail, 0xcc9e2d51);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
