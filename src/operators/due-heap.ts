import { assert } from '../core/assert.ts';
import { grownF64, grownI32 } from '../core/vec.ts';

/**
 * A binary heap of slots by (time, order), each with the time and order that it had when it was pushed. What became of a
 * slot since, the heap does not know: `holds` says whether an item still stands for what is in its slot.
 */
export class DueHeap {
  readonly #holds: (slot: number, order: number) => boolean;
  #time: Float64Array = new Float64Array(64);
  #order: Float64Array = new Float64Array(64);
  #slot: Int32Array = new Int32Array(64);
  #n = 0;

  constructor(holds: (slot: number, order: number) => boolean) {
    this.#holds = holds;
  }

  /** the earliest time of an item that still holds, or Infinity */
  get first(): number {
    while (this.#n > 0 && !this.#isHeld(0)) this.#removeFirst();
    return this.#n === 0 ? Number.POSITIVE_INFINITY : (this.#time[0] as number);
  }

  get bytes(): number {
    return this.#slot.length * 20;
  }

  push(time: number, order: number, slot: number): void {
    const n = this.#n++;
    if (n === this.#slot.length) {
      this.#time = grownF64(this.#time, n + 1);
      this.#order = grownF64(this.#order, n + 1);
      this.#slot = grownI32(this.#slot, n + 1);
    }
    this.#sink(n, time, order, slot);
  }

  /** The slot of the earliest item that still holds. */
  pop(): number {
    assert(this.first < Number.POSITIVE_INFINITY, 'nothing is due');
    const slot = this.#slot[0] as number;
    this.#removeFirst();
    return slot;
  }

  /** Lets go of items that hold no longer once they outnumber the `wanted` ones: their time may never come. */
  prune(wanted: number): void {
    if (this.#n <= 2 * wanted + 64) return;
    const items: { time: number; order: number; slot: number }[] = [];
    for (let i = 0; i < this.#n; i++) {
      if (!this.#isHeld(i)) continue;
      items.push({
        time: this.#time[i] as number,
        order: this.#order[i] as number,
        slot: this.#slot[i] as number,
      });
    }
    this.#n = 0;
    for (const { time, order, slot } of items) this.push(time, order, slot);
  }

  #isHeld(i: number): boolean {
    return this.#holds(this.#slot[i] as number, this.#order[i] as number);
  }

  /** Puts an item in at a free place or, from there, as far up as it belongs. */
  #sink(place: number, time: number, order: number, slot: number): void {
    let at = place;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isLater(parent, time, order)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#time[at] = time;
    this.#order[at] = order;
    this.#slot[at] = slot;
  }

  #removeFirst(): void {
    const last = --this.#n;
    const time = this.#time[last] as number;
    const order = this.#order[last] as number;
    const slot = this.#slot[last] as number;
    let at = 0;
    for (let child = 1; child < last; child = at * 2 + 1) {
      const other = child + 1;
      const earlier =
        other < last && this.#isLater(child, this.#time[other] as number, this.#order[other] as number)
          ? other
          : child;
      if (this.#isLater(earlier, time, order)) break;
      this.#move(earlier, at);
      at = earlier;
    }
    this.#time[at] = time;
    this.#order[at] = order;
    this.#slot[at] = slot;
  }

  #move(from: number, to: number): void {
    this.#time[to] = this.#time[from] as number;
    this.#order[to] = this.#order[from] as number;
    this.#slot[to] = this.#slot[from] as number;
  }

  /** Whether item i comes after (time, order). */
  #isLater(i: number, time: number, order: number): boolean {
    const own = this.#time[i] as number;
    return own > time || (own === time && (this.#order[i] as number) > order);
  }
}
