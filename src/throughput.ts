/** Reads what has been counted so far, by name. */
export type ReadCounters = () => Iterable<readonly [name: string, count: number]>;

interface Sample {
  /** ms */
  readonly at: number;
  readonly counts: ReadonlyMap<string, number>;
}

const EVERY = 5_000;
/** samples that are looked back */
const KEPT = 12;

/** How much comes by in a second, over the last minute, made of counters that others keep. */
export class Throughput {
  readonly #read: ReadCounters;
  readonly #now: () => number;
  #samples: Sample[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** `now`: ms, of a clock that only goes on */
  constructor(read: ReadCounters, now: () => number) {
    this.#read = read;
    this.#now = now;
  }

  start(): void {
    this.sample();
    this.#timer = setInterval(() => this.sample(), EVERY).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  sample(): void {
    this.#samples.push({ at: this.#now(), counts: new Map(this.#read()) });
    if (this.#samples.length > KEPT + 1) this.#samples.shift();
  }

  /** Per second up to now, by name; a counter that began anew, or is new, counts from zero. */
  rates(): ReadonlyMap<string, number> {
    const now = this.#now();
    const first = this.#samples[0];
    const seconds = first === undefined ? 0 : (now - first.at) / 1_000;
    const rates = new Map<string, number>();
    for (const [name, count] of this.#read()) {
      const before = first?.counts.get(name) ?? 0;
      const more = count >= before ? count - before : count;
      if (seconds > 0) rates.set(name, Math.round((more / seconds) * 100) / 100);
    }
    return rates;
  }
}
