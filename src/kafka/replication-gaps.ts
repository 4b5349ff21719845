import type { Clock } from '../core/clock.ts';
import type { AppendRecord, EventLog } from '../log/event-log.ts';

/**
 * Records of Kafka that the log does not have, or has otherwise. `retention`: Kafka had deleted them before they were
 * read. `changed`: Kafka now has other bytes there than the log. `replaced`: the topic was deleted and made anew, or cut.
 * `too_large`: beyond what the log takes.
 */
export interface ReplicationGap {
  readonly topic: string;
  readonly partition: number;
  /** offsets from..to, without `to` */
  readonly from: number;
  readonly to: number;
  readonly reason: 'retention' | 'changed' | 'replaced' | 'too_large';
  /** ms: when it was found */
  readonly at: number;
}

/** A topic of the log itself: a gap stands there in the same append as the records after it. */
export const GAPS_TOPIC = 'kafka-replication-gaps';
const SHOWN = 1_000;

/** Gaps on their way into the log. */
export interface GapRecords {
  readonly records: readonly AppendRecord[];
  /** the log has not taken them: they come again with the next ones */
  readonly lost: () => void;
}

export interface GapOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly report: (text: string) => void;
}

export class ReplicationGaps {
  readonly #options: GapOptions;
  readonly #gaps: ReplicationGap[];
  /** not in the log yet */
  #found: ReplicationGap[] = [];

  constructor(options: GapOptions) {
    this.#options = options;
    const { log } = options;
    const records = log.topic(GAPS_TOPIC) === null ? [] : log.lastRecords(GAPS_TOPIC, SHOWN);
    this.#gaps = records.map(r => JSON.parse(Buffer.from(r.value ?? []).toString()) as ReplicationGap);
  }

  /** the last 1,000 */
  get all(): readonly ReplicationGap[] {
    return this.#gaps;
  }

  /** Writes a gap down, unless the same was before: a topic that stays as it is should not fill the log. */
  found(gap: Omit<ReplicationGap, 'at'>): void {
    const { clock, report } = this.#options;
    if (this.#gaps.some(g => same(g, gap))) return;
    const { topic, partition, from, to, reason } = gap;
    report(`${topic}/${partition} is incomplete: offsets ${from} to ${to - 1} (${reason})`);
    const stamped = { ...gap, at: clock.now() };
    this.#gaps.push(stamped);
    if (this.#gaps.length > SHOWN) this.#gaps.shift();
    this.#found.push(stamped);
  }

  /** Records for what the log does not have yet: they go before the next record of their partition. */
  take(): GapRecords {
    const found = this.#found;
    if (found.length === 0) return { records: [], lost: () => {} };
    this.#options.log.createTopic({ name: GAPS_TOPIC, partitions: 1, keyIndex: false });
    this.#found = [];
    const records = found.map(gap => ({
      topic: GAPS_TOPIC,
      key: Buffer.from(gap.topic),
      value: Buffer.from(JSON.stringify(gap)),
      timestamp: gap.at,
    }));
    const lost = () => {
      this.#found = [...found.splice(0), ...this.#found];
    };
    return { records, lost };
  }
}

const same = (a: Omit<ReplicationGap, 'at'>, b: Omit<ReplicationGap, 'at'>): boolean =>
  a.topic === b.topic &&
  a.partition === b.partition &&
  a.from === b.from &&
  a.to === b.to &&
  a.reason === b.reason;
