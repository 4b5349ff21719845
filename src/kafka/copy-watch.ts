export interface PartitionEnd {
  readonly topic: string;
  readonly partition: number;
  readonly end: number;
}

export interface CopyWatchOptions {
  /** asks the cluster for the ends of what is committed */
  readonly ends: () => Promise<readonly PartitionEnd[]>;
  /** offset before which the log has all that is committed; null: not known now */
  readonly reached: (topic: string, partition: number) => number | null;
  /** ms after which the log should have what the cluster had */
  readonly patience: number;
  /** called once: it has not */
  readonly behind: () => void;
}

/** looks within one patience */
const LOOKS = 6;

/**
 * Looks whether the log still gets what the cluster has. It always lacks the last records, so one look at the ends is
 * remembered until the log has reached them. A cluster that does not answer says nothing of the log: others could not go
 * on either.
 */
export class CopyWatch {
  readonly #options: CopyWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #wanted: readonly PartitionEnd[] = [];
  /** of `performance.now()` */
  #since = 0;
  #asking = false;
  #stopped = false;

  constructor(options: CopyWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), options.patience / LOOKS).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const { ends, reached, patience, behind } = this.#options;
    const now = performance.now();
    const found = await ends().catch(() => null);
    this.#asking = false;
    if (this.#stopped) return;
    if (found === null) this.#wanted = [];
    else if (this.#wanted.every(({ topic, partition, end }) => (reached(topic, partition) ?? -1) >= end)) {
      this.#wanted = found;
      this.#since = now;
    } else if (now - this.#since > patience) {
      this.stop();
      behind();
    }
  }
}
