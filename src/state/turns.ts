/** ms of work after which others get their turn */
const AT_A_TIME = 2;

/** For long work in pieces: gives the event loop to others from time to time, not after each piece, as they take longer. */
export class Turns {
  #since = performance.now();

  async pass(): Promise<void> {
    if (performance.now() - this.#since < AT_A_TIME) return;
    await new Promise(resolve => setImmediate(resolve));
    this.#since = performance.now();
  }
}
