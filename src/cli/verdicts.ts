import { MillraceError } from '../core/errors.ts';
import type { Output } from './context.ts';

/**
 * Says once what is right and wrong for each state of the files that is seen: a look at files that are as they were says
 * nothing, changes while one check runs are checked together after it.
 */
export class Verdicts {
  readonly #check: () => Promise<unknown>;
  readonly #output: Output;
  #last: string | null = null;
  #running: Promise<void> | null = null;
  #next: string | null = null;

  constructor(check: () => Promise<unknown>, output: Output) {
    this.#check = check;
    this.#output = output;
  }

  /** `texts`: all that the files say now. */
  look(texts: string): void {
    this.#next = texts;
    this.#running ??= this.#run();
  }

  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#next !== null) {
      const texts = this.#next;
      this.#next = null;
      if (texts === this.#last) continue;
      this.#last = texts;
      try {
        await this.#check();
      } catch (error) {
        // a folder that is empty for a moment is no reason to stop
        if (!(error instanceof MillraceError)) throw error;
        this.#output.error(error.message);
      }
    }
    this.#running = null;
  }
}
