import type { GrowingColumn } from '../state/growing-column.ts';
import type { StateTable } from '../state/state-table.ts';

const NONE = -1;

/** Which slots of one table point to which slot of another, both ways: a chain per target. */
export class Pointers {
  /** per slot of the table that points */
  readonly #target: GrowingColumn;
  readonly #next: GrowingColumn;
  readonly #previous: GrowingColumn;
  /** per target: where its chain begins */
  readonly #first: GrowingColumn;
  readonly #from: StateTable;
  readonly #to: StateTable;

  constructor(from: StateTable, to: StateTable) {
    this.#from = from;
    this.#to = to;
    this.#target = from.column('i32');
    this.#next = from.column('i32');
    this.#previous = from.column('i32');
    this.#first = to.column('i32');
  }

  /** A slot that is new points nowhere. */
  beginSource(slot: number): void {
    this.#target.i32[slot] = NONE;
  }

  /** Nothing points to a slot that is new. */
  beginTarget(slot: number): void {
    this.#first.i32[slot] = NONE;
  }

  /** Where a slot points to, or -1. */
  targetOf(slot: number): number {
    return this.#target.i32[slot] as number;
  }

  isTarget(slot: number): boolean {
    return this.#first.i32[slot] !== NONE;
  }

  /** The slots that point to a target, the last one first. */
  sourcesOf(target: number): number[] {
    const slots: number[] = [];
    for (let at = this.#first.i32[target] as number; at !== NONE; at = this.#next.i32[at] as number) {
      slots.push(at);
    }
    return slots;
  }

  /** From now on a slot that points nowhere points to a target. */
  link(slot: number, target: number): void {
    const first = this.#first.i32[target] as number;
    this.#from.touch(slot);
    this.#to.touch(target);
    if (first !== NONE) this.#from.touch(first);
    this.#target.i32[slot] = target;
    this.#previous.i32[slot] = NONE;
    this.#next.i32[slot] = first;
    if (first !== NONE) this.#previous.i32[first] = slot;
    this.#first.i32[target] = slot;
  }

  unlink(slot: number): void {
    const target = this.#target.i32[slot] as number;
    if (target === NONE) return;
    const next = this.#next.i32[slot] as number;
    const previous = this.#previous.i32[slot] as number;
    this.#from.touch(slot);
    if (next !== NONE) this.#from.touch(next);
    if (previous !== NONE) this.#from.touch(previous);
    else this.#to.touch(target);
    if (next !== NONE) this.#previous.i32[next] = previous;
    if (previous !== NONE) this.#next.i32[previous] = next;
    else this.#first.i32[target] = next;
    this.#target.i32[slot] = NONE;
  }
}
