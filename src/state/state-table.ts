import type { Bits } from '../core/batch.ts';
import { bitAt, makeBits, setBit } from '../core/bits.ts';
import { capacityFor, grownBits } from '../core/vec.ts';
import type { ColumnKind } from './growing-column.ts';
import { GrowingColumn } from './growing-column.ts';
import { KeyIndex } from './key-index.ts';
import type { KeyLookups } from './key-lookups.ts';
import { type ChangedPart, MOVED, type StateSection, type StateTableState } from './state-section.ts';

/** commits that may be needed for a table of which nothing changes */
const LONGEST_CHAIN = 500;

/**
 * The only kind of operator state: keys -> dense slots -> typed columns. Names and meaning of the columns are the
 * operator's. A new slot's columns hold whatever its last owner left: the operator sets them.
 *
 * A table that is tracked remembers which slots have changed, so that a commit writes those alone. `slot`, `drop` and
 * `dropAll` say so themselves; whoever writes into the columns of a slot that it has from elsewhere (`find`, a chain, a
 * heap) calls `touch` within the same step.
 */
export class StateTable {
  index = new KeyIndex();
  readonly columns: GrowingColumn[] = [];
  #reserved = 0;
  /** null: not tracked */
  #changed: Bits | null = null;
  /** the slots before it have come by in this turn */
  #turn = 0;
  #turnBegan = 0;
  /** all slots have come by in commits from this one on */
  #whole = 0;

  /** Declares a further column; all are declared before the first key. */
  column(kind: ColumnKind): GrowingColumn {
    const column = new GrowingColumn(kind);
    this.columns.push(column);
    return column;
  }

  /** The slot of a key, made when unknown (`index.isNew`). All columns have room for it. */
  slot(prefix: number, bytes: Uint8Array, start: number, end: number): number {
    const slot = this.index.insert(prefix, bytes, start, end);
    if (this.index.isNew) this.reserve(slot + 1);
    if (this.#changed !== null) this.touch(slot);
    return slot;
  }

  /** The slot of the k-th key that the index has prepared, made when unknown. */
  slotPrepared(keys: KeyLookups, bytes: Uint8Array, k: number): number {
    const slot = this.index.insertPrepared(keys, bytes, k);
    if (this.index.isNew) this.reserve(slot + 1);
    if (this.#changed !== null) this.touch(slot);
    return slot;
  }

  /** The slot of a key that is known to be new. */
  append(prefix: number, bytes: Uint8Array, start: number, end: number): number {
    const slot = this.index.append(prefix, bytes, start, end);
    this.reserve(slot + 1);
    if (this.#changed !== null) this.touch(slot);
    return slot;
  }

  /** Says that the columns of a slot are written to. */
  touch(slot: number): void {
    if (this.#changed === null) return;
    if (slot >>> 5 >= this.#changed.length) this.#changed = grownBits(this.#changed, slot + 1);
    setBit(this.#changed, slot);
  }

  /** The same for the first n of these slots. */
  touchAll(slots: ArrayLike<number>, n = slots.length): void {
    if (this.#changed === null) return;
    for (let k = 0; k < n; k++) this.touch(slots[k] as number);
  }

  /** From now on changes are remembered; what is here now came with commits from `whole` on. */
  track(whole: number): void {
    this.#changed = makeBits(this.index.high);
    this.#whole = whole;
    this.#turn = 0;
  }

  /** Room for slots below n in all columns; for callers that insert into the index themselves. */
  reserve(n: number): void {
    if (n <= this.#reserved) return;
    this.#reserved = capacityFor(n, this.#reserved);
    for (const column of this.columns) column.reserve(this.#reserved);
  }

  find(prefix: number, bytes: Uint8Array, start: number, end: number): number {
    return this.index.find(prefix, bytes, start, end);
  }

  /** What was given last is lost: the next changed part is all of it. */
  untrack(): void {
    this.#changed = null;
  }

  /** Forgets a key; its values in `val` columns are let go. */
  drop(slot: number): void {
    this.touch(slot);
    this.index.remove(slot);
    for (const column of this.columns) column.forget(slot);
  }

  dropAll(slots: Int32Array): void {
    this.touchAll(slots);
    this.index.removeAll(slots);
    for (const column of this.columns) {
      if (column.forgets) for (const slot of slots) column.forget(slot);
    }
  }

  *slots(): Iterable<number> {
    for (let slot = 0; slot < this.index.high; slot++) if (this.index.lives(slot)) yield slot;
  }

  get rows(): number {
    return this.index.size;
  }

  get bytes(): number {
    return this.columns.reduce((sum, column) => sum + column.bytes, this.index.bytes);
  }

  /** All of it, or what has changed. Structured-cloneable; shares nothing with the table but values of `val` columns. */
  state(part?: ChangedPart): StateTableState {
    if (part === MOVED) return { sections: [], moved: this };
    return { sections: [this.#section(part === undefined ? null : this.#takeChanged(part))] };
  }

  #section(slots: Int32Array | null): StateSection {
    const { index } = this;
    const { high } = index;
    const n = slots?.length ?? high;
    const prefix = new Float64Array(n);
    const keyEnd = new Int32Array(n);
    let length = 0;
    for (let k = 0; k < n; k++) {
      const slot = slots === null ? k : (slots[k] as number);
      keyEnd[k] = -1;
      if (!index.lives(slot)) continue;
      length += index.keyEnd(slot) - index.keyStart(slot);
      prefix[k] = index.prefixOf(slot);
      keyEnd[k] = length;
    }
    const keys = new Uint8Array(length);
    const { arena } = index;
    let at = 0;
    for (let k = 0; k < n; k++) {
      if (keyEnd[k] === -1) continue;
      const slot = slots === null ? k : (slots[k] as number);
      for (let from = index.keyStart(slot); at < (keyEnd[k] as number); )
        keys[at++] = arena[from++] as number;
    }
    return { high, slots, prefix, keyEnd, keys, columns: this.columns.map(c => c.section(n, slots)) };
  }

  /** The changed slots and those whose turn it is, in order. Null: all. */
  #takeChanged(part: ChangedPart): Int32Array | null {
    const changed = this.#changed;
    if (changed === null) {
      this.track(part.commit);
      part.gives();
      return null;
    }
    const { high } = this.index;
    let count = 0;
    for (const word of changed) count += ones(word);
    // where little happens the turn stands still, until there would be too many commits to keep
    const moves = count > 0 || part.commit - this.#whole > LONGEST_CHAIN;
    const until = moves ? this.#turn + part.slotsInTurn(count) : this.#turn;
    if (this.#turn === 0 && moves) this.#turnBegan = part.commit;
    const slots: number[] = [];
    for (let slot = 0; slot < high; slot++) {
      if ((slot & 31) === 0 && changed[slot >>> 5] === 0 && (slot + 32 <= this.#turn || slot >= until)) {
        slot += 31;
      } else if (bitAt(changed, slot) || (slot >= this.#turn && slot < until)) slots.push(slot);
    }
    changed.fill(0);
    this.#turn = until;
    if (moves && until >= high) {
      this.#turn = 0;
      this.#whole = this.#turnBegan;
    }
    part.needs(this.#whole);
    if (moves) part.gives();
    return Int32Array.from(slots);
  }

  /** Takes a state into a table that is empty. One that was moved is not to be used by its operator any more. */
  load({ sections, moved }: StateTableState): void {
    if (moved instanceof StateTable) {
      this.#takeOver(moved);
      return;
    }
    const high = sections.at(-1)?.high ?? 0;
    this.index.begin(high);
    this.reserve(high);
    const known = makeBits(high);
    for (const section of sections.toReversed()) {
      const { slots, columns } = this.#placed(section, known, high);
      this.columns.forEach((column, c) => {
        const saved = section.columns[c];
        if (saved !== undefined) column.take(saved, columns, slots);
      });
    }
    this.index.end();
  }

  #takeOver(other: StateTable): void {
    this.index = other.index;
    this.columns.forEach((column, c) => {
      column.takeOver(other.columns[c] as GrowingColumn);
    });
    this.#reserved = other.#reserved;
    this.#changed = other.#changed;
    this.#turn = other.#turn;
    this.#turnBegan = other.#turnBegan;
    this.#whole = other.#whole;
  }

  /** Places the keys of slots that no later section has; these slots, and where they stand in the columns. */
  #placed(section: StateSection, known: Bits, high: number): { slots: Int32Array; columns: Int32Array } {
    const slots: number[] = [];
    const places: number[] = [];
    let start = 0;
    for (let k = 0; k < section.keyEnd.length; k++) {
      const slot = section.slots === null ? k : (section.slots[k] as number);
      const end = section.keyEnd[k] as number;
      if (slot < high && !bitAt(known, slot)) {
        setBit(known, slot);
        if (end !== -1) {
          this.index.place(slot, section.prefix[k] as number, section.keys, start, end);
          slots.push(slot);
          places.push(k);
        }
      }
      if (end !== -1) start = end;
    }
    return { slots: Int32Array.from(slots), columns: Int32Array.from(places) };
  }
}

/** The bits that are set in a word (Hacker's Delight, 5-1). */
function ones(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
