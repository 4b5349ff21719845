import { grownI32 } from '../core/vec.ts';

const NONE = -1;
/** in place of the next slot: the slot is in no window */
const FREE = -2;

/** The slots of each open window, as chains: eight bytes a slot whatever the number of windows. */
export class WindowChains {
  readonly #first = new Map<number, number>();
  #next: Int32Array = new Int32Array(64);
  #previous: Int32Array = new Int32Array(64);

  get bytes(): number {
    return this.#next.byteLength + this.#previous.byteLength + this.#first.size * 40;
  }

  /** Starts of the windows that have slots. */
  starts(): Iterable<number> {
    return this.#first.keys();
  }

  has(start: number): boolean {
    return this.#first.has(start);
  }

  /** Adds a slot that is in no window; whether the window is new. */
  add(start: number, slot: number): boolean {
    if (slot >= this.#next.length) {
      this.#next = grownI32(this.#next, slot + 1);
      this.#previous = grownI32(this.#previous, slot + 1);
    }
    const next = this.#first.get(start);
    this.#next[slot] = next ?? NONE;
    this.#previous[slot] = NONE;
    if (next !== undefined) this.#previous[next] = slot;
    this.#first.set(start, slot);
    return next === undefined;
  }

  /** Takes a slot out of its window, if it is in one. */
  remove(start: number, slot: number): void {
    if (this.#next[slot] === FREE) return;
    const next = this.#next[slot] as number;
    const previous = this.#previous[slot] as number;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous !== NONE) this.#next[previous] = next;
    else if (next !== NONE) this.#first.set(start, next);
    else this.#first.delete(start);
    this.#next[slot] = FREE;
  }

  /** Forgets a window; the slots that were in it. */
  take(start: number): number[] {
    const slots: number[] = [];
    for (let at = this.#first.get(start) ?? NONE; at !== NONE; ) {
      slots.push(at);
      const next = this.#next[at] as number;
      this.#next[at] = FREE;
      at = next;
    }
    this.#first.delete(start);
    return slots;
  }

  clear(): void {
    this.#first.clear();
  }
}
