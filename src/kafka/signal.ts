/** Wakes one waiter; what is told while nobody waits is not lost. */
export class Signal {
  #told = false;
  #wake: (() => void) | null = null;

  tell(): void {
    this.#told = true;
    this.#wake?.();
  }

  /** Resolves when something was told since the last wait, or after so many ms. */
  async wait(ms?: number): Promise<void> {
    if (!this.#told) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
        if (ms !== undefined) timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
      this.#wake = null;
    }
    this.#told = false;
  }
}
