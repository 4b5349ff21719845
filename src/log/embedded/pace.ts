/** ms at a stretch */
const STRETCH = 4;

/** For work in the background: after a few milliseconds it rests as long, so that half of the thread is left to others. */
export class Pace {
  #since = performance.now();

  /** To be called between pieces of work that take a millisecond or so. */
  async rest(): Promise<void> {
    const worked = performance.now() - this.#since;
    if (worked < STRETCH) return;
    await new Promise(resolve => setTimeout(resolve, worked));
    this.#since = performance.now();
  }
}
