import { assert } from '../core/assert.ts';
import { grownI32 } from '../core/vec.ts';

/** A binary heap of slots, the first by `before` on top: what it compares must not change while a slot is inside. */
export class SlotHeap {
  readonly #before: (a: number, b: number) => boolean;
  #slots: Int32Array = new Int32Array(64);
  #n = 0;

  constructor(before: (a: number, b: number) => boolean) {
    this.#before = before;
  }

  /** the first slot, or -1 */
  get first(): number {
    return this.#n === 0 ? -1 : (this.#slots[0] as number);
  }

  push(slot: number): void {
    if (this.#n === this.#slots.length) this.#slots = grownI32(this.#slots, this.#n + 1);
    let at = this.#n++;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = this.#slots[parent] as number;
      if (!this.#before(slot, above)) break;
      this.#slots[at] = above;
      at = parent;
    }
    this.#slots[at] = slot;
  }

  pop(): number {
    assert(this.#n > 0, 'the heap is empty');
    const first = this.#slots[0] as number;
    const last = this.#slots[--this.#n] as number;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= this.#n) break;
      if (
        child + 1 < this.#n &&
        this.#before(this.#slots[child + 1] as number, this.#slots[child] as number)
      ) {
        child++;
      }
      const below = this.#slots[child] as number;
      if (!this.#before(below, last)) break;
      this.#slots[at] = below;
      at = child;
    }
    this.#slots[at] = last;
    return first;
  }
}
