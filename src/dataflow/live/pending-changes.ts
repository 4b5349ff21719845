import { lastChanges } from '../last-changes.ts';

/** bytes of one stretch: a value of the journal */
const STRETCH = 128 * 1024;
const FIRST = 4096;

/**
 * Row changes of a view since the last commit, in their order: few long stretches out of many short ones. Of a key only
 * the last change in a stretch is kept, unless every change is a row of its own (`append`); that is done as they come, not
 * at the commit, for which others wait.
 */
export class PendingChanges {
  readonly #append: boolean;
  #whole: Uint8Array[] = [];
  #last = new Uint8Array(0);
  #length = 0;
  #bytes = 0;

  constructor(append: boolean) {
    this.#append = append;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(changes: Uint8Array): void {
    this.#bytes += changes.length;
    if (this.#length + changes.length > this.#last.length) this.#makeRoom(changes.length);
    this.#last.set(changes, this.#length);
    this.#length += changes.length;
  }

  /** All of them; they are not pending any more. Of the last stretch too many are there, see `shortened`. */
  take(): Uint8Array[] {
    const taken = this.#whole;
    if (this.#length > 0) taken.push(this.#last.subarray(0, this.#length));
    this.#begin();
    this.#whole = [];
    this.#bytes = 0;
    return taken;
  }

  /** What was taken, of each key only the last change in its last stretch. */
  shortened(taken: readonly Uint8Array[]): readonly Uint8Array[] {
    const last = taken.at(-1);
    return this.#append || last === undefined ? taken : [...taken.slice(0, -1), lastChanges(last)];
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
    if (this.#length > 0) {
      const all = this.#last.subarray(0, this.#length);
      const kept = this.#append ? all : lastChanges(all);
      this.#whole.push(kept);
      this.#bytes -= all.length - kept.length;
    }
    this.#begin();
  }

  #begin(): void {
    this.#last = new Uint8Array(0);
    this.#length = 0;
  }
}
