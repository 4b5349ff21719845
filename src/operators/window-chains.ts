import { grownI32 } from '../core/vec.ts';

const NONE = -1;
/** in place of the next slot: the slot is in no window */
const FREE = -2;

interface OpenWindow {
  readonly start: number;
  first: number;
  /** number of its slots */
  n: number;
}

/** The slots of each open window, as chains: eight bytes a slot whatever the number of windows. */
export class WindowChains {
  readonly #open = new Map<number, OpenWindow>();
  /** the window that was asked for last: rows of one window come together */
  #current: OpenWindow | undefined;
  #next: Int32Array = new Int32Array(64);
  #previous: Int32Array = new Int32Array(64);

  get bytes(): number {
    return this.#next.byteLength + this.#previous.byteLength + this.#open.size * 100;
  }

  /** Starts of the windows that have slots. */
  starts(): Iterable<number> {
    return this.#open.keys();
  }

  has(start: number): boolean {
    return this.#at(start) !== undefined;
  }

  #at(start: number): OpenWindow | undefined {
    if (this.#current?.start !== start) this.#current = this.#open.get(start);
    return this.#current;
  }

  /** Adds a slot that is in no window. */
  add(start: number, slot: number): void {
    if (slot >= this.#next.length) {
      this.#next = grownI32(this.#next, slot + 1);
      this.#previous = grownI32(this.#previous, slot + 1);
    }
    let window = this.#at(start);
    if (window === undefined) {
      window = { start, first: NONE, n: 0 };
      this.#open.set(start, window);
      this.#current = window;
    }
    const next = window.first;
    this.#next[slot] = next;
    this.#previous[slot] = NONE;
    if (next !== NONE) this.#previous[next] = slot;
    window.first = slot;
    window.n++;
  }

  /** Takes a slot out of its window, if it is in one. */
  remove(start: number, slot: number): void {
    const window = this.#at(start);
    if (window === undefined || this.#next[slot] === FREE) return;
    const next = this.#next[slot] as number;
    const previous = this.#previous[slot] as number;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous !== NONE) this.#next[previous] = next;
    else window.first = next;
    this.#next[slot] = FREE;
    if (--window.n === 0) this.#forget(start);
  }

  /** Forgets a window; the slots that were in it. */
  take(start: number): Int32Array {
    const window = this.#at(start);
    const slots = new Int32Array(window?.n ?? 0);
    let at = window?.first ?? NONE;
    for (let k = 0; k < slots.length; k++) {
      slots[k] = at;
      const next = this.#next[at] as number;
      this.#next[at] = FREE;
      at = next;
    }
    this.#forget(start);
    return slots;
  }

  #forget(start: number): void {
    this.#open.delete(start);
    this.#current = undefined;
  }

  clear(): void {
    this.#open.clear();
    this.#current = undefined;
  }
}
