/** bytes of one stretch: a value of the journal */
const STRETCH = 1024 * 1024;
const FIRST = 4096;

/** Row changes of a view since the last commit, in their order: few long stretches out of many short ones. */
export class PendingChanges {
  #whole: Uint8Array[] = [];
  #last = new Uint8Array(0);
  #length = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  append(changes: Uint8Array): void {
    this.#bytes += changes.length;
    if (this.#length + changes.length > this.#last.length) this.#makeRoom(changes.length);
    this.#last.set(changes, this.#length);
    this.#length += changes.length;
  }

  /** All of them; they are not pending any more. */
  take(): Uint8Array[] {
    this.#endStretch();
    const taken = this.#whole;
    this.#whole = [];
    this.#bytes = 0;
    return taken;
  }

  /** Puts back what was taken before everything that has come since. */
  putBack(taken: readonly Uint8Array[]): void {
    this.#whole.unshift(...taken);
    for (const stretch of taken) this.#bytes += stretch.length;
  }

  #makeRoom(more: number): void {
    if (this.#length > 0 && this.#length + more > STRETCH) this.#endStretch();
    const grown = new Uint8Array(
      Math.max(this.#length + more, Math.min(STRETCH, this.#last.length * 2), FIRST),
    );
    grown.set(this.#last.subarray(0, this.#length));
    this.#last = grown;
  }

  #endStretch(): void {
    if (this.#length > 0) this.#whole.push(this.#last.subarray(0, this.#length));
    this.#last = new Uint8Array(0);
    this.#length = 0;
  }
}
