import type { Clock } from '../core/clock.ts';
import { faultPoint } from '../core/fault-points.ts';
import type { EventLog } from '../log/event-log.ts';

/** at least this often the log's clock moves, ms */
const TICK_EVERY = 60_000;
/** the machine's clock may jump: it is looked at this often */
const LOOK_EVERY = 1_000;
/** many deadlines close together share a tick */
const APART = 10;

/** Moves the log's clock when nothing is appended: at the next deadline of a live view, and at least once a minute. */
export class LogTicker {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #report: (text: string) => void;
  #deadline: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #failing = false;

  constructor(log: EventLog, clock: Clock, report: (text: string) => void) {
    this.#log = log;
    this.#clock = clock;
    this.#report = report;
  }

  /** The next clock time at which a view changes although nothing is appended. */
  deadline(time: number | null): void {
    this.#deadline = time;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#stopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const now = this.#clock.now();
    const wait = this.#deadline === null ? LOOK_EVERY : Math.max(this.#deadline - now, APART);
    this.#timer = setTimeout(() => this.#look(), Math.min(wait, LOOK_EVERY));
  }

  /** Tells of the first of several failures in a row: it is tried again at every look. */
  #failed(error: unknown): void {
    if (!this.#failing) this.#report(`the clock could not be written: ${String(error)}`);
    this.#failing = true;
  }

  #look(): void {
    const now = this.#clock.now();
    const last = this.#log.lastAppendTime();
    const due = this.#deadline !== null && this.#deadline <= now && last < this.#deadline;
    if (due || now - last >= TICK_EVERY) {
      try {
        faultPoint('log.clock');
        this.#log.tick(now).durable.then(
          () => {
            this.#failing = false;
          },
          error => this.#failed(error),
        );
      } catch (error) {
        this.#failed(error);
      }
    }
    // a deadline that the log has passed is settled by the next epoch, not by another tick
    if (this.#deadline !== null && this.#deadline <= now) this.#deadline = null;
    this.#schedule();
  }
}
