import { hash } from 'node:crypto';

/** Parts that grow on their own, so that growing holds up nobody for long. */
const PARTS = 64;

/**
 * The last sequence of many keys, without the keys: each stands by 104 bits of its SHA-256. 24 bytes a key, at most two
 * thirds full.
 */
export class LastByKey {
  readonly #mostKeys: number;
  readonly #parts = Array.from({ length: PARTS }, () => new Part());

  constructor(mostKeys: number) {
    this.#mostKeys = mostKeys;
  }

  get full(): boolean {
    return this.#parts.reduce((sum, part) => sum + part.size, 0) >= this.#mostKeys;
  }

  set(key: Uint8Array, seq: number): void {
    const [high, low] = hashOf(key);
    this.#parts[high % PARTS]!.set(high, low, seq + 1);
  }

  /** The sequence last set for a key, or null. */
  get(key: Uint8Array): number | null {
    const [high, low] = hashOf(key);
    const seq = this.#parts[high % PARTS]!.get(high, low);
    return seq === 0 ? null : seq - 1;
  }
}

/** Open addressing over typed columns. */
class Part {
  size = 0;
  #capacity = 64;
  #high = new Float64Array(64);
  #low = new Float64Array(64);
  /** 0: free */
  #value = new Float64Array(64);

  set(high: number, low: number, value: number): void {
    if (3 * (this.size + 1) > 2 * this.#capacity) this.#grow();
    const slot = this.#slot(high, low);
    if (this.#value[slot] === 0) this.size++;
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#value[slot] = value;
  }

  /** 0: not there */
  get(high: number, low: number): number {
    return this.#value[this.#slot(high, low)]!;
  }

  #slot(high: number, low: number): number {
    let slot = low % this.#capacity;
    while (this.#value[slot] !== 0 && (this.#low[slot] !== low || this.#high[slot] !== high)) {
      slot = (slot + 1) % this.#capacity;
    }
    return slot;
  }

  #grow(): void {
    const [high, low, value] = [this.#high, this.#low, this.#value];
    this.#capacity *= 2;
    this.size = 0;
    this.#high = new Float64Array(this.#capacity);
    this.#low = new Float64Array(this.#capacity);
    this.#value = new Float64Array(this.#capacity);
    for (let i = 0; i < value.length; i++) if (value[i] !== 0) this.set(high[i]!, low[i]!, value[i]!);
  }
}

/** Twice 52 bits: whole numbers that a float holds exactly. */
function hashOf(key: Uint8Array): [high: number, low: number] {
  const digest = hash('sha256', key, 'buffer');
  const part = (at: number) => digest.readUInt32LE(at) * 0x10_0000 + (digest.readUInt32LE(at + 4) >>> 12);
  return [part(0), part(8)];
}
