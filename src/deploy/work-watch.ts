import { WorkBeat } from '../dataflow/live/work-beat.ts';

/** ms that one step of a view may take: 16,384 records through its operators, each in up to 10,000 windows */
const STUCK_AFTER = 120_000;
/** looks within that time. Their number counts, not the clock: a machine that slept has not looked. */
const LOOKS = 4;

export interface WorkWatchOptions {
  readonly beat: SharedArrayBuffer;
  /** ms; default two minutes */
  readonly after: number | undefined;
  /** hears once of the view that holds the worker up, with a sentence about it */
  readonly onStuck: (view: string, message: string) => void;
}

/** Looks now and then whether one step of one view holds a worker up, as a regular expression such as (a+)+ can. */
export class WorkWatch {
  readonly #timer: NodeJS.Timeout;
  #last = -1;
  #same = 0;

  constructor({ beat: buffer, after = STUCK_AFTER, onStuck }: WorkWatchOptions) {
    const beat = new WorkBeat(buffer);
    this.#timer = setInterval(() => {
      const at = beat.look();
      this.#same = at !== null && at.beat === this.#last ? this.#same + 1 : 0;
      this.#last = at?.beat ?? -1;
      if (at === null || this.#same < LOOKS) return;
      this.stop();
      onStuck(at.view, `one step took more than ${after / 1_000} s: it held all views up and was ended`);
    }, after / LOOKS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
