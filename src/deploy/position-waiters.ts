interface Waiter {
  readonly seq: number;
  readonly settle: (reached: boolean) => void;
}

/** waiting requests at once; more are told at once how far behind they are */
const MAX_WAITERS = 10_000;

/** Callers that wait until the views have reached a position, each with a limit of time. */
export class PositionWaiters {
  readonly #waiting = new Set<Waiter>();

  wait(position: number, seq: number, ms: number): Promise<boolean> {
    if (position >= seq) return Promise.resolve(true);
    if (ms <= 0 || this.#waiting.size >= MAX_WAITERS) return Promise.resolve(false);
    return new Promise(resolve => {
      const timer = setTimeout(() => waiter.settle(false), ms);
      const waiter: Waiter = {
        seq,
        settle: reached => {
          clearTimeout(timer);
          this.#waiting.delete(waiter);
          resolve(reached);
        },
      };
      this.#waiting.add(waiter);
    });
  }

  reached(position: number): void {
    for (const waiter of [...this.#waiting]) if (position >= waiter.seq) waiter.settle(true);
  }

  cancel(): void {
    for (const waiter of [...this.#waiting]) waiter.settle(false);
  }
}
