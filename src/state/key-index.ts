import { assert } from '../core/assert.ts';
import type { Bits } from '../core/batch.ts';
import { bitAt, clearBit, makeBits, setBit } from '../core/bits.ts';
import { capacityFor, grownBits } from '../core/vec.ts';
import { KeyLookups } from './key-lookups.ts';

/** bytes of removed keys that are put up with before the rest is moved together */
const TOLERATED_GARBAGE = 64 * 1024;
const EMPTY = 0;
const NONE = new Int32Array(0);
/** places of a table from which on room counts more than short probes */
const LARGE = 1 << 18;

/**
 * Keys (a number and bytes) to dense slots: open addressing over integers, the bytes of all keys in one arena.
 * A slot stays the same while its key lives and is given again to another key after `remove`.
 * Bytes that were given out (`arena`) are never overwritten: whoever emitted them may keep them.
 */
export class KeyIndex {
  /** pairs of slot + 1 (or 0) and hash, so that a probe mostly stays in one cache line */
  #table = new Int32Array(2 * 64);
  #mask = 63;
  /** the table before this one, for the next of its size */
  #spare = NONE;
  /**
   * per slot where its bytes begin and end (an end of -1: no key), and once a prefix is not 0, the prefix beside them: one
   * cache line to compare
   */
  #range = new Int32Array(2 * 64);
  #prefix: Float64Array | null = null;
  /** log2 of the numbers per slot in `range`: 1, with prefixes 2 */
  #shift = 1;
  #capacity = 64;
  #arena = new Uint8Array(1024);
  #arenaView = viewOf(this.#arena);
  /** the bytes that were looked at last, and a view of them: four bytes at a time */
  #seen: Uint8Array = this.#arena;
  #seenView = this.#arenaView;
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
    const { byteLength } = this.#arena;
    const slots = this.#range.byteLength + this.#waits.byteLength;
    const tables = this.#table.byteLength + this.#spare.byteLength;
    return tables + slots + byteLength + (this.#free.length + this.#waiting.length) * 8;
  }

  /** the bytes behind `keyStart` and `keyEnd`; read it anew after an insertion */
  get arena(): Uint8Array {
    return this.#arena;
  }

  keyStart(slot: number): number {
    return this.#range[slot << this.#shift] as number;
  }

  keyEnd(slot: number): number {
    return this.#range[(slot << this.#shift) + 1] as number;
  }

  prefixOf(slot: number): number {
    return this.#prefix === null ? 0 : (this.#prefix[slot * 2 + 1] as number);
  }

  lives(slot: number): boolean {
    return slot < this.#high && this.#range[(slot << this.#shift) + 1] !== -1;
  }

  /** The slot of a key, or -1. */
  find(prefix: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.#waitingCount > 0) this.#linkWaiting();
    const view = this.#see(bytes);
    return this.#probe(prefix, view, start, end, hashOf(prefix, view, start, end));
  }

  /** The slot of a key; a new one (`isNew` is then true until the next call) when it is unknown. */
  insert(prefix: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.#waitingCount > 0) this.#linkWaiting();
    const view = this.#see(bytes);
    const hash = hashOf(prefix, view, start, end);
    const found = this.#probe(prefix, view, start, end, hash);
    this.isNew = found < 0;
    return found >= 0 ? found : this.#add(prefix, bytes, start, end, hash);
  }

  isNew = false;

  /** For keys that are looked up together, see `prepare`; good for any index. */
  lookups(): KeyLookups {
    return new KeyLookups();
  }

  /**
   * Computes the hashes of n keys, and touches what looking them up will read: loads that do not wait for each other, as
   * they do between lookups. Keys that do not lie in `bytes` are left out.
   */
  prepare(keys: KeyLookups, bytes: Uint8Array, n: number): void {
    if (this.#waitingCount > 0) this.#linkWaiting();
    const view = this.#see(bytes);
    const { prefix, start, end, hash } = keys;
    const { length } = bytes;
    const table = this.#table;
    const mask = this.#mask;
    const range = this.#range;
    const shift = this.#shift;
    const arena = this.#arena;
    let touched = 0;
    for (let k = 0; k < n; k++) {
      const from = start[k] as number;
      const h = from < length ? hashOf(prefix[k] as number, view, from, end[k] as number) : 0;
      hash[k] = h;
      touched ^= table[(h & mask) * 2] as number;
    }
    for (let k = 0; k < n; k++) {
      const entry = table[((hash[k] as number) & mask) * 2] as number;
      if (entry !== EMPTY) touched ^= range[(entry - 1) << shift] as number;
    }
    for (let k = 0; k < n; k++) {
      const entry = table[((hash[k] as number) & mask) * 2] as number;
      if (entry !== EMPTY) touched ^= arena[range[(entry - 1) << shift] as number] as number;
    }
    this.touched = touched;
  }

  /** The slots of n prepared keys by their hashes alone: for those who load what they hold before it is needed. */
  likelySlots({ hash, slots }: KeyLookups, n: number): Int32Array {
    const table = this.#table;
    const mask = this.#mask;
    for (let k = 0; k < n; k++) {
      const wanted = hash[k] as number;
      let at = wanted & mask;
      while (table[at * 2] !== EMPTY && table[at * 2 + 1] !== wanted) at = (at + 1) & mask;
      slots[k] = (table[at * 2] as number) - 1;
    }
    return slots;
  }

  /** what was loaded ahead: loads whose result nobody could see would be left out */
  touched = 0;

  /** The slots of n prepared keys into `out` from `at` on; -1 of those that are not known or do not lie in `bytes`. */
  findAll(
    { prefix, start, end, hash }: KeyLookups,
    bytes: Uint8Array,
    n: number,
    out: Int32Array,
    at: number,
  ): void {
    const view = this.#see(bytes);
    const { length } = bytes;
    for (let k = 0; k < n; k++) {
      const from = start[k] as number;
      out[at + k] =
        from < length
          ? this.#probe(prefix[k] as number, view, from, end[k] as number, hash[k] as number)
          : -1;
    }
  }

  /** Like `insert`, of the k-th prepared key. */
  insertPrepared(keys: KeyLookups, bytes: Uint8Array, k: number): number {
    const prefix = keys.prefix[k] as number;
    const start = keys.start[k] as number;
    const end = keys.end[k] as number;
    const hash = keys.hash[k] as number;
    const found = this.#probe(prefix, this.#see(bytes), start, end, hash);
    this.isNew = found < 0;
    return found >= 0 ? found : this.#add(prefix, bytes, start, end, hash);
  }

  /** Like `find`, of the k-th prepared key. */
  findPrepared(keys: KeyLookups, bytes: Uint8Array, k: number): number {
    const start = keys.start[k] as number;
    const end = keys.end[k] as number;
    return this.#probe(keys.prefix[k] as number, this.#see(bytes), start, end, keys.hash[k] as number);
  }

  #see(bytes: Uint8Array): DataView {
    if (bytes !== this.#seen) {
      this.#seen = bytes;
      this.#seenView = viewOf(bytes);
    }
    return this.#seenView;
  }

  /**
   * A new slot for a key that the caller knows to be new. It is hashed only when somebody looks for a key by its bytes,
   * which most keys that come and go with a window never see.
   */
  append(prefix: number, bytes: Uint8Array, start: number, end: number): number {
    const slot = this.#free.pop() ?? this.#high++;
    if (slot >= this.#capacity) this.#growSlots(slot + 1);
    this.#setKey(slot, prefix, this.#keep(bytes, start, end), end - start);
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
    while (this.size > limitOf(places)) places *= 2;
    if (places > this.#mask + 1) this.#rehash(places);
    for (const slot of this.#waiting) {
      if (!bitAt(this.#waits, slot)) continue;
      clearBit(this.#waits, slot);
      this.#link(slot, this.#hashOf(slot));
    }
    this.#waiting = [];
    this.#waitingCount = 0;
  }

  /** Where a copy of the bytes begins in the arena. */
  #keep(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (this.#arenaLength + length > this.#arena.length) {
      const grown = new Uint8Array(capacityFor(this.#arenaLength + length, this.#arena.length));
      grown.set(this.#arena.subarray(0, this.#arenaLength));
      this.#setArena(grown);
    }
    const own = this.#arenaLength;
    copyShort(this.#see(bytes), start, this.#arenaView, own, length);
    this.#arenaLength = own + length;
    return own;
  }

  #setArena(arena: Uint8Array<ArrayBuffer>): void {
    this.#arena = arena;
    this.#arenaView = viewOf(arena);
  }

  #probe(prefix: number, view: DataView, start: number, end: number, hash: number): number {
    const table = this.#table;
    const mask = this.#mask;
    const range = this.#range;
    const prefixes = this.#prefix;
    const shift = this.#shift;
    const length = end - start;
    if (prefixes === null && prefix !== 0) return -1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = table[at * 2] as number;
      if (entry === EMPTY) return -1;
      if (table[at * 2 + 1] !== hash) continue;
      const slot = entry - 1;
      const own = range[slot << shift] as number;
      if ((range[(slot << shift) + 1] as number) - own !== length) continue;
      if (prefixes !== null && prefixes[slot * 2 + 1] !== prefix) continue;
      const arena = this.#arenaView;
      let i = 0;
      while (i + 4 <= length && arena.getInt32(own + i, true) === view.getInt32(start + i, true)) i += 4;
      if (i + 4 <= length) continue;
      while (i < length && arena.getUint8(own + i) === view.getUint8(start + i)) i++;
      if (i === length) return slot;
    }
  }

  #add(prefix: number, bytes: Uint8Array, start: number, end: number, hash: number): number {
    if (this.size >= limitOf(this.#mask + 1)) this.#rehash((this.#mask + 1) * 2);
    const slot = this.#free.pop() ?? this.#high++;
    if (slot >= this.#capacity) this.#growSlots(slot + 1);
    this.#write(slot, prefix, bytes, start, end, hash);
    return slot;
  }

  #write(slot: number, prefix: number, bytes: Uint8Array, start: number, end: number, hash: number): void {
    this.#setKey(slot, prefix, this.#keep(bytes, start, end), end - start);
    this.#link(slot, hash);
  }

  #setKey(slot: number, prefix: number, start: number, length: number): void {
    if (prefix !== 0 && this.#prefix === null) this.#addPrefixes();
    this.#range[slot << this.#shift] = start;
    this.#range[(slot << this.#shift) + 1] = start + length;
    if (this.#prefix !== null) this.#prefix[slot * 2 + 1] = prefix;
  }

  /** Removes many keys at once; cheaper than one by one when they are a large part. */
  removeAll(slots: Int32Array): void {
    if (slots.length * 8 < this.size) {
      for (const slot of slots) this.remove(slot);
      return;
    }
    let linked = false;
    // fits the fastest cache, where what the slots hold does not
    const gone = makeBits(this.#high);
    for (const slot of slots) {
      assert(this.lives(slot), 'the slot holds no key');
      linked ||= !bitAt(this.#waits, slot);
      setBit(gone, slot);
      this.#release(slot);
    }
    if (linked) this.#rehash(this.#mask + 1, gone);
    if (this.#garbage > TOLERATED_GARBAGE && this.#garbage * 2 > this.#arenaLength) this.#compact();
  }

  #release(slot: number): void {
    this.#garbage += this.keyEnd(slot) - this.keyStart(slot);
    this.#range[(slot << this.#shift) + 1] = -1;
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
    let hole = this.#hashOf(slot) & mask;
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

  /** `gone`: slots that have no key any more */
  #rehash(places: number, gone: Bits | null = null): void {
    const old = this.#table;
    const spare = this.#spare.length === places * 2 ? this.#spare.fill(EMPTY) : null;
    const table = spare ?? new Int32Array(places * 2);
    const mask = places - 1;
    for (let from = 0; from < old.length; from += 2) {
      const entry = old[from] as number;
      if (entry === EMPTY || (gone !== null && bitAt(gone, entry - 1))) continue;
      const hash = old[from + 1] as number;
      let at = hash & mask;
      while (table[at * 2] !== EMPTY) at = (at + 1) & mask;
      table[at * 2] = entry;
      table[at * 2 + 1] = hash;
    }
    this.#table = table;
    this.#mask = mask;
    // what grows will not be of this size again
    this.#spare = old.length === table.length ? old : NONE;
  }

  #hashOf(slot: number): number {
    return hashOf(this.prefixOf(slot), this.#arenaView, this.keyStart(slot), this.keyEnd(slot));
  }

  #growSlots(needed: number): void {
    this.#capacity = capacityFor(needed, this.#capacity);
    const old = this.#range;
    this.#range = new Int32Array(this.#capacity << this.#shift);
    this.#range.set(old);
    if (this.#prefix !== null) this.#prefix = new Float64Array(this.#range.buffer);
  }

  /** Makes room for prefixes beside the ranges; those of all keys so far are 0. */
  #addPrefixes(): void {
    const old = this.#range;
    this.#shift = 2;
    this.#range = new Int32Array(this.#capacity * 4);
    this.#prefix = new Float64Array(this.#range.buffer);
    for (let slot = 0; slot < this.#capacity; slot++) {
      this.#range[slot * 4] = old[slot * 2] as number;
      this.#range[slot * 4 + 1] = old[slot * 2 + 1] as number;
    }
  }

  /** Live keys into a new arena; the old one stays as it was for those who still read it. */
  #compact(): void {
    const arena = new Uint8Array(Math.max(1024, (this.#arenaLength - this.#garbage) * 1.5));
    const to = viewOf(arena);
    const slots = { range: this.#range, shift: this.#shift, high: this.#high };
    this.#arenaLength = moveKeys(slots, this.#arenaView, to);
    this.#arena = arena;
    this.#arenaView = to;
    this.#garbage = 0;
  }

  /** Room for slots below `high`, none of which has a key until it is placed: for an index that is empty. */
  begin(high: number): void {
    assert(this.#high === 0, 'an index is filled once');
    this.#growSlots(Math.max(64, high));
    for (let slot = 0; slot < high; slot++) this.#range[(slot << this.#shift) + 1] = -1;
    let places = 64;
    while (high > limitOf(places)) places *= 2;
    this.#rehash(places);
    this.#high = high;
  }

  /** Gives a slot the key that it had. After the last one comes `end`. */
  place(slot: number, prefix: number, bytes: Uint8Array, start: number, end: number): void {
    this.#write(slot, prefix, bytes, start, end, hashOf(prefix, this.#see(bytes), start, end));
  }

  /** Slots without a key are given to others. */
  end(): void {
    for (let slot = this.#high - 1; slot >= 0; slot--) if (!this.lives(slot)) this.#free.push(slot);
  }
}

/** How many keys a table of so many places takes: half of them, or where that is many megabytes three quarters. */
function limitOf(places: number): number {
  return places < LARGE ? places / 2 : (places / 4) * 3;
}

/** Keys are short: a loop beats a view and a copy. */
function copyShort(from: DataView, start: number, to: DataView, at: number, length: number): void {
  let i = 0;
  for (; i + 4 <= length; i += 4) to.setInt32(at + i, from.getInt32(start + i, true), true);
  for (; i < length; i++) to.setUint8(at + i, from.getUint8(start + i));
}

interface SlotRanges {
  readonly range: Int32Array;
  readonly shift: number;
  readonly high: number;
}

/** Moves the bytes of live keys side by side; how many they are. A loop of its own, which is compiled once. */
function moveKeys({ range, shift, high }: SlotRanges, old: DataView, to: DataView): number {
  let at = 0;
  for (let slot = 0; slot < high; slot++) {
    const place = slot << shift;
    const end = range[place + 1] as number;
    if (end === -1) continue;
    const from = range[place] as number;
    copyShort(old, from, to, at, end - from);
    range[place] = at;
    at += end - from;
    range[place + 1] = at;
  }
  return at;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Four bytes at a time with MurmurHash3's mixing. */
export function hashOf(prefix: number, view: DataView, start: number, end: number): number {
  let h = (Math.imul(prefix | 0, 0x9e3779b1) ^ Math.floor(prefix / 4294967296)) | 0;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    let k = view.getInt32(i, true);
    k = Math.imul(k, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let tail = end - start;
  for (; i < end; i++) tail = Math.imul(tail, 31) + view.getUint8(i);
  h ^= Math.imul(tail, 0xcc9e2d51);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
