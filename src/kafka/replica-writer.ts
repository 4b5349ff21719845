import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import { faultPoint } from '../core/fault-points.ts';
import type { AppendRecord, EventLog } from '../log/event-log.ts';
import { takeInEventTime } from './event-time-merge.ts';
import type { PartitionFeed } from './partition-feed.ts';
import type { ReplicationGaps } from './replication-gaps.ts';
import { Signal } from './signal.ts';

/** ms: a partition of which nothing can be learned for so long holds the others back no longer */
const PATIENCE = 30_000;
/** ms */
const LOOK_AGAIN = 1_000;
const DISK_PAUSE = 5;
const FAILURE_PAUSE = 500;
/** records and bytes of one append: a few ms of work, so that requests are not held up */
const APPEND_RECORDS = 1_000;
const APPEND_BYTES = 1 << 20;
/** bytes of appends that wait for the disk */
const WAITING_BYTES = 4 << 20;
/** codes of records that the log does not take */
const UNFIT: readonly string[] = ['record_too_large', 'limit_exceeded', 'invalid_argument'];

export interface ReplicaWriterPorts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly gaps: ReplicationGaps;
  /** by topic and partition */
  readonly feeds: () => ReadonlyMap<string, PartitionFeed>;
  /** whether more will come of a feed */
  readonly healthy: (feed: PartitionFeed) => boolean;
  /** feeds have room again */
  readonly appended: () => void;
  /** the log has not taken what it should: all feeds have to begin at its end again */
  readonly failed: (error: unknown) => void;
}

/** What the log takes next, and the feeds from which it was taken. */
interface Batch {
  readonly records: readonly AppendRecord[];
  readonly feeds: ReadonlyMap<string, PartitionFeed>;
  /** the log has not taken it, or not kept it */
  readonly lost: () => void;
}

/** On its way to the disk. */
interface Written {
  readonly durable: Promise<void>;
}

/** Appends to the log what has come, in the order of event time; as fast as the disk allows and no faster. */
export class ReplicaWriter {
  readonly #ports: ReplicaWriterPorts;
  /** something for the log has come */
  readonly arrived = new Signal();
  #stopped = false;

  constructor(ports: ReplicaWriterPorts) {
    this.#ports = ports;
  }

  stop(): void {
    this.#stopped = true;
    this.arrived.tell();
  }

  async run(): Promise<void> {
    let waiting = 0;
    let last: Promise<void> = Promise.resolve();
    while (!this.#stopped) {
      let lost = () => {};
      try {
        const batch = this.#batch();
        if (batch.records.length === 0) {
          await this.arrived.wait(LOOK_AGAIN);
          continue;
        }
        lost = batch.lost;
        let bytes = 0;
        for (const r of batch.records) bytes += (r.key?.length ?? 0) + (r.value?.length ?? 0);
        const { durable } = await this.#append(batch, last);
        waiting += bytes;
        last = this.#outcome(durable, lost).then(() => {
          waiting -= bytes;
        });
      } catch (error) {
        lost();
        this.#ports.failed(error);
        await last;
        await new Promise(resolve => setTimeout(resolve, FAILURE_PAUSE));
        continue;
      }
      this.#ports.appended();
      if (waiting > WAITING_BYTES) await last;
      else await new Promise(resolve => setImmediate(resolve));
    }
    await last;
  }

  async #outcome(durable: Promise<void>, lost: () => void): Promise<void> {
    try {
      await durable;
    } catch (error) {
      lost();
      this.#ports.failed(error);
    }
  }

  #batch(): Batch {
    const { gaps, clock, healthy } = this.#ports;
    const feeds = this.#ports.feeds();
    const now = clock.now();
    const taken = takeInEventTime([...feeds.values()], {
      records: APPEND_RECORDS,
      bytes: APPEND_BYTES,
      waitsFor: feed => healthy(feed) && (feed.awaySince === null || now - feed.awaySince < PATIENCE),
    });
    const { records, lost } = gaps.take();
    return { records: [...records, ...taken], feeds, lost };
  }

  async #append(batch: Batch, earlier: Promise<void>): Promise<Written> {
    const { log } = this.#ports;
    for (;;) {
      this.#assertContinues(batch);
      try {
        faultPoint('kafka.copy');
        const { records: placed, durable } = log.append({ records: batch.records });
        for (const { topic, partition, offset } of placed) {
          const feed = batch.feeds.get(`${topic}/${partition}`);
          if (feed === undefined) continue;
          feed.appended = offset + 1;
          feed.inHand--;
        }
        return { durable };
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        if (error.code === 'overloaded') {
          await earlier;
          await new Promise(resolve => setTimeout(resolve, DISK_PAUSE));
        } else if (UNFIT.includes(error.code)) return this.#appendFit(batch, earlier, error);
        else throw error;
      }
    }
  }

  /** One record at least is beyond the limits of the log: it becomes a gap, the others are appended. */
  async #appendFit(batch: Batch, earlier: Promise<void>, error: MillraceError): Promise<Written> {
    const { records, feeds } = batch;
    const [first] = records;
    if (records.length > 1) {
      const half = records.length >> 1;
      const { durable } = await this.#append({ ...batch, records: records.slice(0, half) }, earlier);
      return this.#append({ ...batch, records: records.slice(half) }, durable);
    }
    if (first?.offset === undefined) throw error;
    const { topic, partition = 0, offset } = first;
    const feed = feeds.get(`${topic}/${partition}`);
    if (feed !== undefined) feed.inHand--;
    this.#ports.gaps.found({ topic, partition, from: offset, to: offset + 1, reason: 'too_large' });
    return { durable: earlier };
  }

  /**
   * After a write that failed the log ends earlier: what came later must not be appended behind a hole. Feeds that were made
   * anew while the batch waited for the disk bring its records again.
   */
  #assertContinues({ feeds }: Batch): void {
    const open = this.#ports.feeds();
    const ends = new Map<string, readonly number[]>();
    for (const [id, feed] of feeds) {
      if (open.get(id) !== feed) throw new Error('what was to be appended next is fetched again');
      const { topic, partition, appended } = feed;
      if (!ends.has(topic)) ends.set(topic, this.#ports.log.topic(topic)?.ends ?? []);
      if (ends.get(topic)?.[partition] !== appended) throw new Error('the log lost what was appended last');
    }
  }
}
