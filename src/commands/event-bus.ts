/** Tells listeners in this process. A listener that throws disturbs neither the others nor the teller. */
export class EventBus<T> {
  readonly #listeners = new Map<string | null, Set<(item: T) => void>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Hears what is published under the subject, or everything (null). Returns how to stop. */
  subscribe(subject: string | null, listener: (item: T) => void): () => void {
    const listeners = this.#listeners.get(subject) ?? new Set();
    this.#listeners.set(subject, listeners);
    const own = (item: T) => listener(item); // the same function may subscribe twice
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(subject) === listeners) this.#listeners.delete(subject);
    };
  }

  publish(subject: string | null, item: T): void {
    for (const heard of subject === null ? [null] : [subject, null]) {
      for (const listener of this.#listeners.get(heard) ?? []) {
        try {
          listener(item);
        } catch (error) {
          this.#onError(error);
        }
      }
    }
  }
}
