import { grownF64, grownI32 } from '../core/vec.ts';

/**
 * The groups touched since the last round, in order, and whether each existed when it was first touched. A group stands
 * once per round, or with `repeat` at every touch, so that the last one can be found.
 */
export class Touches {
  readonly #repeat: boolean;
  #slots: Int32Array = new Int32Array(256);
  #seqs: Float64Array = new Float64Array(256);
  #n = 0;
  /** per slot the round in which it was first touched, and whether it existed then */
  #stamp: Int32Array = new Int32Array(256);
  #existed: Uint8Array = new Uint8Array(256);
  #round = 1;

  constructor(repeat: boolean) {
    this.#repeat = repeat;
  }

  get bytes(): number {
    return this.#stamp.length * 5 + this.#slots.length * 12;
  }

  get length(): number {
    return this.#n;
  }

  slot(t: number): number {
    return this.#slots[t] as number;
  }

  seq(t: number): number {
    return this.#seqs[t] as number;
  }

  existed(slot: number): boolean {
    return this.#existed[slot] === 1;
  }

  add(slot: number, seq: number, existed: boolean): void {
    if (slot >= this.#stamp.length) this.#growSlots(slot + 1);
    if (this.#stamp[slot] !== this.#round) {
      this.#stamp[slot] = this.#round;
      this.#existed[slot] = existed ? 1 : 0;
    } else if (!this.#repeat) return;
    const t = this.#n++;
    if (t >= this.#slots.length) {
      this.#slots = grownI32(this.#slots, t + 1);
      this.#seqs = grownF64(this.#seqs, t + 1);
    }
    this.#slots[t] = slot;
    this.#seqs[t] = seq;
  }

  #growSlots(needed: number): void {
    this.#stamp = grownI32(this.#stamp, needed);
    const existed = new Uint8Array(this.#stamp.length);
    existed.set(this.#existed);
    this.#existed = existed;
  }

  /** Forgets everything. */
  clear(): void {
    this.#n = 0;
    this.#round = (this.#round + 1) | 0;
  }

  /** Each group once, in order of its last touch, with the sequence of it; everything is forgotten. */
  takeLast(): { readonly slots: Int32Array; readonly seqs: Float64Array; readonly n: number } {
    const slots = new Int32Array(this.#n);
    const seqs = new Float64Array(this.#n);
    let at = this.#n;
    for (let t = this.#n - 1; t >= 0; t--) {
      const slot = this.#slots[t] as number;
      if (this.#stamp[slot] !== this.#round) continue;
      this.#stamp[slot] = this.#round - 1;
      slots[--at] = slot;
      seqs[at] = this.#seqs[t] as number;
    }
    const n = this.#n - at;
    this.clear();
    return { slots: slots.subarray(at), seqs: seqs.subarray(at), n };
  }
}
