/** ids are at most this */
const MAX_IDS = 2 ** 17;
/** words of a place in the table: id, length, and up to six words of bytes, or where those of longer texts begin in `long` */
const PLACE = 8;
const INLINE = PLACE - 2;
/** a dictionary is of use when texts come again: at least so many times on average */
const WORTH = 4;

/** of all dictionaries of the thread: a column may come from several, one after the other */
let generations = 0;

/**
 * Small numbers for the texts of a column, the same over many batches, so that whoever groups by it compares numbers
 * instead of bytes, and all who do share the work. A cache, no state: when it is full it begins anew (`generation`), and
 * when its texts hardly ever come again it ends for good. Ids are from 1; equal ids of one generation are equal bytes. No
 * two dictionaries have the same generation.
 */
export class KeyDictionary {
  #generation = ++generations;
  #size = 0;
  #lookups = 0;
  #useless = false;
  /** open addressing; a text of up to 24 bytes is found within one cache line */
  #table = new Int32Array(64 * PLACE);
  #mask = 63;
  #long = new Int32Array(0);
  #longLength = 0;

  readonly #users = new Set<object>();

  /** ids of another generation mean something else */
  get generation(): number {
    return this.#generation;
  }

  /** the largest id given */
  get size(): number {
    return this.#size;
  }

  /** Somebody who groups by the column. */
  usedBy(user: object): void {
    this.#users.add(user);
  }

  /** Several share the numbers: then it pays to give them, and texts are numbered while they are decoded. */
  get wanted(): boolean {
    return this.#users.size > 1;
  }

  get bytes(): number {
    return this.#table.byteLength + this.#long.byteLength;
  }

  /** Room for a batch of n texts, which may begin a new generation. False: no ids for this batch. */
  begin(n: number): boolean {
    if (this.#useless || n > MAX_IDS / 2) return false;
    if (this.#size + n <= MAX_IDS) return true;
    this.#generation = ++generations;
    this.#useless = this.#lookups < this.#size * WORTH;
    this.#size = 0;
    this.#lookups = 0;
    this.#longLength = 0;
    if (!this.#useless) this.#table.fill(0);
    else {
      this.#table = new Int32Array(0);
      this.#long = new Int32Array(0);
    }
    return !this.#useless;
  }

  /** The id of the bytes [start, end) behind a view. */
  idOf(view: DataView, start: number, end: number): number {
    this.#lookups++;
    const length = end - start;
    const whole = length >>> 2;
    let hash = length;
    for (let i = 0; i < whole; i++) hash = mixed(hash, view.getInt32(start + i * 4, true));
    const tail = tailOf(view, start + whole * 4, end);
    hash = finished(hash, tail);
    const table = this.#table;
    const mask = this.#mask;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const at = place * PLACE;
      const id = table[at] as number;
      if (id === 0) return this.#add(place, view, start, end);
      if (table[at + 1] !== length) continue;
      let words = table;
      let word = at + 2;
      if (length > INLINE * 4) {
        words = this.#long;
        word = table[at + 2] as number;
      }
      let i = 0;
      while (i < whole && words[word + i] === view.getInt32(start + i * 4, true)) i++;
      if (i === whole && ((length & 3) === 0 || words[word + i] === tail)) return id;
    }
  }

  /** Into a free place. */
  #add(place: number, view: DataView, start: number, end: number): number {
    const id = ++this.#size;
    const length = end - start;
    const count = (length + 3) >>> 2;
    const at = place * PLACE;
    this.#table[at] = id;
    this.#table[at + 1] = length;
    let words = this.#table;
    let word = at + 2;
    if (length > INLINE * 4) {
      while (this.#longLength + count > this.#long.length) this.#long = twice(this.#long);
      this.#table[at + 2] = this.#longLength;
      words = this.#long;
      word = this.#longLength;
      this.#longLength += count;
    }
    const whole = length >>> 2;
    for (let i = 0; i < whole; i++) words[word + i] = view.getInt32(start + i * 4, true);
    if (whole < count) words[word + whole] = tailOf(view, start + whole * 4, end);
    if (id * 4 > (this.#mask + 1) * 3) this.#grow();
    return id;
  }

  #grow(): void {
    const old = this.#table;
    const mask = this.#mask * 2 + 1;
    const table = new Int32Array((mask + 1) * PLACE);
    for (let from = 0; from < old.length; from += PLACE) {
      if (old[from] === 0) continue;
      let place = this.#hashAt(old, from) & mask;
      while (table[place * PLACE] !== 0) place = (place + 1) & mask;
      for (let i = 0; i < PLACE; i++) table[place * PLACE + i] = old[from + i] as number;
    }
    this.#table = table;
    this.#mask = mask;
  }

  #hashAt(table: Int32Array, at: number): number {
    const length = table[at + 1] as number;
    const long = length > INLINE * 4;
    const words = long ? this.#long : table;
    const word = long ? (table[at + 2] as number) : at + 2;
    const whole = length >>> 2;
    let hash = length;
    for (let i = 0; i < whole; i++) hash = mixed(hash, words[word + i] as number);
    return finished(hash, (length & 3) === 0 ? 0 : (words[word + whole] as number));
  }
}

function mixed(hash: number, word: number): number {
  const h = Math.imul(hash ^ word, 0x9e3779b1);
  return h ^ (h >>> 15);
}

function finished(hash: number, tail: number): number {
  let h = Math.imul(hash ^ tail, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The up to three bytes in [at, end), low byte first. */
function tailOf(view: DataView, at: number, end: number): number {
  let tail = 0;
  for (let shift = 0; at < end; at++, shift += 8) tail |= view.getUint8(at) << shift;
  return tail;
}

function twice(old: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(Math.max(1024, old.length * 2));
  grown.set(old);
  return grown;
}
