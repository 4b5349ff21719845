import { MillraceError } from '../core/errors.ts';

/** A stream to one client that stays open. */
export interface OpenStream {
  /** Ends it because the server closes. */
  end(): void;
}

/** All open streams, so that their number is bounded and a closing server ends them. */
export class Subscriptions {
  readonly #max: number;
  readonly #open = new Set<OpenStream>();
  #closed = false;
  /** streams that were too slow, since the start */
  dropped = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Throws `overloaded` when there are too many. */
  check(): void {
    if (this.#closed) throw new MillraceError('overloaded', 'the server is stopping');
    if (this.#open.size >= this.#max) {
      throw new MillraceError('overloaded', `${this.#max} subscriptions are open already`, {
        hint: 'close some, or ask later',
      });
    }
  }

  add(stream: OpenStream): void {
    this.#open.add(stream);
  }

  remove(stream: OpenStream): void {
    this.#open.delete(stream);
  }

  close(): void {
    this.#closed = true;
    for (const stream of [...this.#open]) stream.end();
  }
}
