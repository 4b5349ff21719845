import { createHash } from 'node:crypto';

/**
 * The last sequence of many keys, without the keys: each stands by 104 bits of its SHA-256. 24 bytes a key, at most two
 * thirds full.
 */
export class LastByKey {
  readonly #mostKeys: number;
  #capacity = 1024;
  #size = 0;
  #high = new Float64Array(1024);
  #low = new Float64Array(1024);
  /** sequence + 1; 0: free */
  #seq = new Float64Array(1024);

  constructor(mostKeys: number) {
    this.#mostKeys = mostKeys;
  }

  get full(): boolean {
    return this.#size >= this.#mostKeys;
  }

  set(key: Uint8Array, seq: number): void {
    if (3 * (this.#size + 1) > 2 * this.#capacity) this.#grow();
    const [high, low] = hashOf(key);
    this.#put(high, low, seq + 1);
  }

  /** The sequence last set for a key, or null. */
  get(key: Uint8Array): number | null {
    const [high, low] = hashOf(key);
    const seq = this.#seq[this.#slot(high, low)]!;
    return seq === 0 ? null : seq - 1;
  }

  #put(high: number, low: number, seq: number): void {
    const slot = this.#slot(high, low);
    if (this.#seq[slot] === 0) this.#size++;
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#seq[slot] = seq;
  }

  #slot(high: number, low: number): number {
    let slot = low % this.#capacity;
    while (this.#seq[slot] !== 0 && (this.#low[slot] !== low || this.#high[slot] !== high)) {
      slot = (slot + 1) % this.#capacity;
    }
    return slot;
  }

  #grow(): void {
    const [high, low, seq] = [this.#high, this.#low, this.#seq];
    this.#capacity *= 2;
    this.#size = 0;
    this.#high = new Float64Array(this.#capacity);
    this.#low = new Float64Array(this.#capacity);
    this.#seq = new Float64Array(this.#capacity);
    for (let i = 0; i < seq.length; i++) if (seq[i] !== 0) this.#put(high[i]!, low[i]!, seq[i]!);
  }
}

/** Twice 52 bits: whole numbers that a float holds exactly. */
function hashOf(key: Uint8Array): [high: number, low: number] {
  const hash = createHash('sha256').update(key).digest();
  const part = (at: number) => hash.readUInt32LE(at) * 0x10_0000 + (hash.readUInt32LE(at + 4) >>> 12);
  return [part(0), part(8)];
}
