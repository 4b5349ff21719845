import type { Clock } from '../core/clock.ts';
import type { EventLog } from '../log/event-log.ts';
import type { LogKeeper } from './log-keeper.ts';

/** What the settings of a topic ask for. */
export interface TopicUpkeep {
  readonly retention: {
    /** ms since they were appended; null: whatever their age */
    readonly age: number | null;
    /** bytes of sealed records; null: as many as there are */
    readonly size: number | null;
    /** take them although views read the topic */
    readonly acceptIncompleteRebuilds: boolean;
  } | null;
  readonly compaction: {
    /** ms */
    readonly keepTombstonesFor: number;
    readonly acceptIncompleteRebuilds: boolean;
  } | null;
}

export interface LogRetentionOptions {
  readonly log: EventLog;
  readonly keeper: LogKeeper;
  readonly clock: Clock;
  readonly topics: ReadonlyMap<string, TopicUpkeep>;
  /** what an operator must know: `text` is one sentence */
  readonly report: (text: string) => void;
}

/** A topic may keep this share more than it is asked to, so that an act is worth its entry in the log. */
const SLACK = 1 / 8;
/** so many records of a topic that no compaction went over yet are worth one */
const COMPACT_AFTER = 100_000;
/** or this time, ms, when there are any */
const COMPACT_EVERY = 86_400_000;
const LOOK_EVERY = 60_000;

/** Trims and compacts topics as their settings ask, as far as nobody has anything left to read there. */
export class LogRetention {
  readonly #options: LogRetentionOptions;
  /** what was told of a topic last */
  readonly #told = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;

  constructor(options: LogRetentionOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.topics.size === 0) return;
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY).unref();
    void this.look();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#looking;
  }

  /** Looks at all topics once. */
  async look(): Promise<void> {
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = null;
    });
    await this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    for (const [topic, { retention, compaction }] of this.#options.topics) {
      if (this.#options.log.topic(topic) === null) continue;
      try {
        if (retention !== null) await this.#retain(topic, retention);
        if (compaction !== null) await this.#compact(topic, compaction);
      } catch (error) {
        this.#tell(
          topic,
          `upkeep of topic ${topic}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }

  async #retain(topic: string, retention: NonNullable<TopicUpkeep['retention']>): Promise<void> {
    const { log, clock, keeper } = this.#options;
    const { age, size, acceptIncompleteRebuilds } = retention;
    const incomplete = keeper.incomplete('trim', topic);
    if (incomplete.length > 0 && !acceptIncompleteRebuilds) {
      this.#tell(topic, refusal('retention', topic, incomplete));
      return;
    }
    const now = clock.now();
    let due = 0;
    if (age !== null && log.seqAtTime(now - age * (1 + SLACK)) > this.#floor(topic)) {
      due = Math.max(due, log.seqAtTime(now - age));
    }
    if (size !== null && (await log.seqAtSize(topic, size * (1 + SLACK))) > this.#floor(topic)) {
      due = Math.max(due, await log.seqAtSize(topic, size));
    }
    const before = Math.min(due, keeper.highestCut('trim', topic) ?? 0);
    const goes = log.offsetsAt(topic, before).some((o, p) => o > (log.topic(topic)?.floor?.starts[p] ?? 0));
    if (before <= this.#floor(topic) || !goes) return;
    const { reclaimed } = await log.trim({ topic, before, by: 'retention', kind: 'retention', incomplete });
    await reclaimed;
  }

  async #compact(topic: string, compaction: NonNullable<TopicUpkeep['compaction']>): Promise<void> {
    const { log, clock, keeper } = this.#options;
    const incomplete = keeper.incomplete('compact', topic);
    if (incomplete.length > 0 && !compaction.acceptIncompleteRebuilds) {
      this.#tell(topic, refusal('compaction', topic, incomplete));
      return;
    }
    const before = keeper.highestCut('compact', topic) ?? 0;
    const done = log.topic(topic)?.floor?.compacted ?? 0;
    if (before <= done) return;
    const ends = log.offsetsAt(topic, before);
    const fresh = log
      .offsetsAt(topic, done)
      .reduce((sum, from, p) => sum + Math.max(0, (ends[p] ?? 0) - from), 0);
    const last = log.acts().findLast(a => a.kind === 'compact' && a.topic === topic)?.at ?? 0;
    const now = clock.now();
    if (fresh < COMPACT_AFTER && (fresh === 0 || now - last < COMPACT_EVERY)) return;
    const tombstonesBefore = log.seqAtTime(now - compaction.keepTombstonesFor);
    const { reclaimed } = await log.compact({ topic, before, by: 'cleanup', incomplete, tombstonesBefore });
    await reclaimed;
  }

  #floor(topic: string): number {
    return this.#options.log.topic(topic)?.floor?.floor ?? 0;
  }

  #tell(topic: string, text: string): void {
    if (this.#told.get(topic) === text) return;
    this.#told.set(topic, text);
    this.#options.report(text);
  }
}

function refusal(what: string, topic: string, views: readonly string[]): string {
  return (
    `${what} of topic ${topic} is not applied: ${views.join(', ')} could no longer be rebuilt exactly; ` +
    'set acceptIncompleteRebuilds to apply it all the same'
  );
}
