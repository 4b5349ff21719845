import { MillraceError } from '../core/errors.ts';
import { decodeText } from '../core/pool.ts';
import { writeUtf8 } from '../core/text-builder.ts';
import { capacityFor } from '../core/vec.ts';

/** bytes that no text needs any more and that are put up with before the rest is moved together */
const TOLERATED_GARBAGE = 64 * 1024;
/** where the numbers of `range` end */
const MOST_BYTES = 0x7fff_ffff;
const NONE = -1;

/**
 * Texts by slot, outside of the collector's heap: the bytes of all of them in one arena. Bytes may move with every change:
 * whoever wants to keep them copies them.
 */
export class SlotTexts {
  /** per slot where its bytes begin and end; an end of -1: NULL */
  range: Int32Array = new Int32Array(0);
  arena: Uint8Array = new Uint8Array(0);
  #length = 0;
  #garbage = 0;

  reserve(slots: number): void {
    const { length } = this.range;
    if (length >= slots * 2) return;
    const grown = new Int32Array(slots * 2).fill(NONE);
    grown.set(this.range);
    this.range = grown;
  }

  isNull(slot: number): boolean {
    return this.range[slot * 2 + 1] === NONE;
  }

  get(slot: number): string | null {
    const end = this.range[slot * 2 + 1] as number;
    return end === NONE ? null : decodeText(this.arena, this.range[slot * 2] as number, end);
  }

  /** Loads the texts of n slots (-1: none) from memory: first where all of them stand, then their bytes. */
  loadAhead(slots: Int32Array, n: number): number {
    const { range, arena } = this;
    let touched = 0;
    for (let k = 0; k < n; k++) {
      const slot = slots[k] as number;
      if (slot >= 0) touched ^= range[slot * 2] as number;
    }
    for (let k = 0; k < n; k++) {
      const slot = slots[k] as number;
      const start = slot < 0 ? NONE : (range[slot * 2] as number);
      if (start >= 0) touched ^= arena[start] as number;
    }
    return touched;
  }

  /** Sets a text: bytes [start, end), UTF-8. */
  set(slot: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    let at = this.#room(slot, length);
    const { arena } = this;
    this.range[slot * 2] = at;
    this.range[slot * 2 + 1] = at + length;
    // texts are short: a loop beats a view and a copy
    for (let from = start; from < end; from++) arena[at++] = bytes[from] as number;
  }

  setString(slot: number, text: string): void {
    const most = text.length * 3;
    this.clear(slot);
    this.#reserveBytes(most);
    const at = this.#length;
    this.#length += writeUtf8(text, this.arena, at);
    this.range[slot * 2] = at;
    this.range[slot * 2 + 1] = this.#length;
  }

  /** The texts of slots below n, or of these slots only, copied. */
  section(n: number, slots: Int32Array | null): { readonly texts: Uint8Array; readonly ends: Int32Array } {
    const { range, arena } = this;
    const count = slots?.length ?? n;
    const ends = new Int32Array(count);
    let length = 0;
    for (let k = 0; k < count; k++) {
      const slot = slots === null ? k : (slots[k] as number);
      const end = range[slot * 2 + 1] as number;
      if (end !== NONE) length += end - (range[slot * 2] as number);
      ends[k] = end === NONE ? NONE : length;
    }
    const texts = new Uint8Array(length);
    let at = 0;
    for (let k = 0; k < count; k++) {
      if (ends[k] === NONE) continue;
      const slot = slots === null ? k : (slots[k] as number);
      for (let from = range[slot * 2] as number; at < (ends[k] as number); )
        texts[at++] = arena[from++] as number;
    }
    return { texts, ends };
  }

  /** Takes the texts at these places of a section, in ascending order, into slots, for which there is room. */
  take(
    { texts, ends }: { readonly texts: Uint8Array; readonly ends: Int32Array },
    places: Int32Array,
    slots: Int32Array,
  ): void {
    let start = 0;
    let next = 0;
    for (let k = 0; k < places.length; k++) {
      const place = places[k] as number;
      for (; next < place; next++) if (ends[next] !== NONE) start = ends[next] as number;
      const end = ends[place] as number;
      if (end === NONE) this.clear(slots[k] as number);
      else this.set(slots[k] as number, texts, start, end);
    }
  }

  clear(slot: number): void {
    const end = this.range[slot * 2 + 1] as number;
    if (end === NONE) return;
    this.#garbage += end - (this.range[slot * 2] as number);
    this.range[slot * 2 + 1] = NONE;
  }

  /** Where a text of a slot goes: in place of its last one, or behind all others. */
  #room(slot: number, length: number): number {
    const start = this.range[slot * 2] as number;
    const end = this.range[slot * 2 + 1] as number;
    if (end !== NONE && end - start >= length) {
      this.#garbage += end - start - length;
      return start;
    }
    this.clear(slot);
    this.#reserveBytes(length);
    const at = this.#length;
    this.#length += length;
    return at;
  }

  #reserveBytes(length: number): void {
    if (this.#garbage > TOLERATED_GARBAGE && this.#garbage * 2 > this.#length) this.#compact(length);
    if (this.#length + length <= this.arena.length) return;
    if (this.#length + length > MOST_BYTES) {
      throw new MillraceError('limit_exceeded', 'the texts of one column of state are more than 2 GiB', {
        hint: 'keep fewer rows: filter before the join or the window function, or end it with RETENTION',
      });
    }
    const grown = new Uint8Array(capacityFor(this.#length + length, this.arena.length));
    grown.set(this.arena.subarray(0, this.#length));
    this.arena = grown;
  }

  /** All texts into a new arena, with room for more. */
  #compact(length: number): void {
    const { arena: old, range } = this;
    const arena = new Uint8Array(Math.ceil((this.#length - this.#garbage) * 1.5) + length);
    let at = 0;
    for (let slot = 0; slot * 2 < range.length; slot++) {
      const end = range[slot * 2 + 1] as number;
      if (end === NONE) continue;
      let from = range[slot * 2] as number;
      range[slot * 2] = at;
      while (from < end) arena[at++] = old[from++] as number;
      range[slot * 2 + 1] = at;
    }
    this.arena = arena;
    this.#length = at;
    this.#garbage = 0;
  }

  get bytes(): number {
    return this.range.byteLength + this.arena.byteLength;
  }
}
