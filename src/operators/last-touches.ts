import { ColumnMemory } from '../core/column-memory.ts';
import { grownF64, grownI32 } from '../core/vec.ts';

/** The groups touched in an epoch, of which only the last touch counts. */
export class LastTouches {
  /** every touch in order: group and sequence */
  slots: Int32Array = new Int32Array(256);
  seqs: Float64Array = new Float64Array(256);
  /** per group its last touch in this epoch; of groups that were not touched anything */
  last: Int32Array = new Int32Array(256);
  n = 0;
  readonly #taken = new ColumnMemory();

  get bytes(): number {
    return this.last.length * 4 + this.slots.length * 12;
  }

  add(slot: number, seq: number): void {
    this.reserve(this.n + 1, slot + 1);
    this.slots[this.n] = slot;
    this.seqs[this.n] = seq;
    this.last[slot] = this.n++;
  }

  /** Groups touched by rows, in order; groups are below `high`. */
  addAll(slots: Int32Array, rows: Int32Array, seqs: Float64Array, count: number, high: number): void {
    this.reserve(this.n + count, high);
    const { last, n } = this;
    const ownSlots = this.slots;
    const ownSeqs = this.seqs;
    for (let k = 0; k < count; k++) {
      const slot = slots[k] as number;
      last[slot] = n + k;
      ownSlots[n + k] = slot;
      ownSeqs[n + k] = seqs[rows[k] as number] as number;
    }
    this.n = n + count;
  }

  /** Room for touches below `touches` and groups below `slots`. */
  reserve(touches: number, slots: number): void {
    if (touches > this.slots.length) {
      this.slots = grownI32(this.slots, touches);
      this.seqs = grownF64(this.seqs, touches);
    }
    if (slots > this.last.length) this.last = grownI32(this.last, slots);
  }

  /**
   * Each group once, in order of its last touch, with the sequence of it; everything is forgotten. What is given is the
   * caller's until the next call.
   */
  take(): { readonly slots: Int32Array; readonly seqs: Float64Array; readonly n: number } {
    const { slots, seqs, last, n } = this;
    const ownSlots = this.#taken.i32(n);
    const ownSeqs = this.#taken.f64(n);
    let kept = 0;
    for (let t = 0; t < n; t++) {
      const slot = slots[t] as number;
      if (last[slot] !== t) continue;
      ownSlots[kept] = slot;
      ownSeqs[kept++] = seqs[t] as number;
    }
    this.n = 0;
    return { slots: ownSlots, seqs: ownSeqs, n: kept };
  }
}
