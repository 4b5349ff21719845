import type { SharedAdmin } from './shared-admin.ts';

export interface PartitionLag {
  readonly partition: number;
  readonly lag: number;
}

/** ms for which an answer is good enough */
const FRESH = 5_000;

/** How far the handlers of all nodes are behind their topic. Asked for when somebody wants to know, told from then on. */
export class GroupLag {
  readonly #of: { readonly admin: SharedAdmin; readonly group: string; readonly topic: string };
  #known: readonly PartitionLag[] | null = null;
  #asked = Number.NEGATIVE_INFINITY;

  constructor(of: { readonly admin: SharedAdmin; readonly group: string; readonly topic: string }) {
    this.#of = of;
  }

  /** Null: not known yet, or the cluster is away. */
  get known(): readonly PartitionLag[] | null {
    if (performance.now() - this.#asked > FRESH) {
      this.#asked = performance.now();
      void this.#ask();
    }
    return this.#known;
  }

  async #ask(): Promise<void> {
    const { admin, group, topic } = this.#of;
    try {
      const [[committed], ends] = await admin.ask(asked =>
        Promise.all([
          asked.fetchOffsets({ groupId: group, topics: [topic] }),
          asked.fetchTopicOffsets(topic),
        ]),
      );
      const offsets = new Map(committed?.partitions.map(p => [p.partition, Number(p.offset)]));
      this.#known = ends
        .map(({ partition, low, high }) => {
          const next = Math.max(Number(low), offsets.get(partition) ?? 0);
          return { partition, lag: Math.max(0, Number(high) - next) };
        })
        .sort((a, b) => a.partition - b.partition);
    } catch {
      this.#known = null; // that the cluster is away is told elsewhere
    }
  }
}
