/** Keys that are looked up together: see {@link KeyIndex.prepare}. */
export class KeyLookups {
  /** how many at a time: what they touch should stay in the processor's cache until they are looked up */
  readonly room = 512;
  readonly prefix: Float64Array = new Float64Array(this.room);
  /** where the bytes of a key begin and end */
  readonly start: Int32Array = new Int32Array(this.room);
  readonly end: Int32Array = new Int32Array(this.room);
  readonly hash: Int32Array = new Int32Array(this.room);
  /** where each key very likely stands, or -1: see {@link KeyIndex.likelySlots} */
  readonly slots: Int32Array = new Int32Array(this.room);

  set(k: number, prefix: number, start: number, end: number): void {
    this.prefix[k] = prefix;
    this.start[k] = start;
    this.end[k] = end;
  }
}
