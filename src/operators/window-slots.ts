import { capacityFor } from '../core/vec.ts';

/** all maps of an operator together take at most this many numbers, but one map is always there */
const ROOM = 1 << 20;

export interface WindowMap {
  /** by number of the key: the slot + 1, or 0; good until the next `begin` */
  readonly slots: Int32Array;
  /** the window has no groups but those in the map */
  readonly complete: boolean;
}

/**
 * Slots of groups by window and number of the key (see KeyDictionary): what the table's index knows too, found without
 * hashing and comparing bytes. A cache: what is not in it may still be in the table, unless a map is complete.
 */
export class WindowSlots {
  #generation = 0;
  #capacity = 0;
  /** by window start, in order of their making */
  readonly #maps = new Map<number, WindowMap>();
  /** of windows that are gone, all zeros */
  #spare: Int32Array[] = [];

  /** Keys up to `keys` of a generation come next. */
  begin(generation: number, keys: number): void {
    if (generation !== this.#generation) {
      this.clear();
      this.#generation = generation;
    }
    if (keys < this.#capacity) return;
    this.#capacity = capacityFor(keys + 1, this.#capacity);
    this.#spare = [];
    for (const [start, { slots, complete }] of this.#maps) {
      const grown = new Int32Array(this.#capacity);
      grown.set(slots);
      this.#maps.set(start, { slots: grown, complete });
    }
  }

  /** The slots of a window; `fresh`: it has no groups yet. */
  of(start: number, fresh: boolean): WindowMap {
    const known = this.#maps.get(start);
    if (known !== undefined) return known;
    for (const oldest of this.#maps.keys()) {
      if ((this.#maps.size + 1) * this.#capacity <= ROOM) break;
      this.drop(oldest);
    }
    const made = { slots: this.#spare.pop() ?? new Int32Array(this.#capacity), complete: fresh };
    this.#maps.set(start, made);
    return made;
  }

  /** A group of the window was made that the map does not know. */
  spoil(start: number): void {
    const map = this.#maps.get(start);
    if (map?.complete === true) this.#maps.set(start, { slots: map.slots, complete: false });
  }

  /** The window's groups are gone. */
  drop(start: number): void {
    const map = this.#maps.get(start);
    if (map === undefined) return;
    this.#maps.delete(start);
    if (this.#spare.length < 2) this.#spare.push(map.slots.fill(0));
  }

  clear(): void {
    this.#maps.clear();
    this.#spare = [];
    this.#capacity = 0;
  }

  get bytes(): number {
    return (this.#maps.size + this.#spare.length) * this.#capacity * 4;
  }
}
