import { assert } from '../core/assert.ts';

export interface Timed {
  time: number;
  /** no longer wanted: passed over when its time comes */
  gone: boolean;
  /** orders items of one time */
  readonly order: number;
}

/** A binary heap of items by (time, order). An item's time must not change while it is inside. */
export class TimeHeap<T extends Timed> {
  #items: T[] = [];

  /** the earliest time of an item that is not gone, or Infinity */
  get first(): number {
    while (this.#items[0]?.gone === true) this.pop();
    return this.#items[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  /** with those that are gone and not passed yet */
  get length(): number {
    return this.#items.length;
  }

  /** Lets go of items that are gone once they outnumber the `wanted` ones: their time may never come. */
  prune(wanted: number): void {
    if (this.#items.length <= 2 * wanted + 64) return;
    // what is in order is a heap
    this.#items = this.#items.filter(item => !item.gone).sort((a, b) => a.time - b.time || a.order - b.order);
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!before(item, items[parent] as T)) break;
      items[at] = items[parent] as T;
      at = parent;
    }
    items[at] = item;
  }

  pop(): T {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    assert(first !== undefined && last !== undefined, 'the heap is empty');
    if (items.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1] as T, items[child] as T)) child++;
      if (!before(items[child] as T, last)) break;
      items[at] = items[child] as T;
      at = child;
    }
    items[at] = last;
    return first;
  }
}

function before(a: Timed, b: Timed): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
