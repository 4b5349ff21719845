import { systemClock } from '../../src/core/clock.ts';
import type { LogRecord } from '../../src/core/log-record.ts';
import { recordAt } from '../../src/core/log-record.ts';
import type { KafkaSettings } from '../../src/kafka/kafka-settings.ts';
import { Replicator } from '../../src/kafka/replicator.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { until } from '../until.ts';

/** A log that follows topics of a broker. */
export class Replica {
  readonly log: EventLog;
  readonly reports: string[] = [];
  readonly replicator: Replicator;

  constructor(
    settings: KafkaSettings,
    topics: readonly string[],
    log = createMemoryLog({ clock: systemClock }),
  ) {
    this.log = log;
    this.replicator = new Replicator({
      log,
      settings,
      clock: systemClock,
      wanted: () => new Set(topics),
      report: text => this.reports.push(text),
      lookEvery: 200,
    });
    this.replicator.start();
  }

  async has(topic: string, records: number, ms?: number): Promise<void> {
    await until(
      `${records} records of ${topic} are here`,
      () => (this.log.topic(topic)?.records ?? 0) >= records,
      ms,
    );
    await this.log.append({ records: [] }).durable;
  }

  /** Everything that Kafka has committed is here. */
  async caughtUp(ms?: number): Promise<void> {
    await until(
      'the log has caught up with Kafka',
      () => {
        const { state, topics } = this.replicator.status();
        return state === 'following' && topics.length > 0 && topics.every(t => t.lag === 0);
      },
      ms,
    );
    await this.log.append({ records: [] }).durable;
  }

  stop(): Promise<void> {
    return this.replicator.stop();
  }
}

export function recordsOf(log: EventLog, topic: string): LogRecord[] {
  const records: LogRecord[] = [];
  for (const block of log.read(0)) {
    for (let i = 0; i < block.n; i++) {
      if (block.topics[block.topic[i]!] === topic && block.partition[i]! >= 0)
        records.push(recordAt(block, i));
    }
  }
  return records;
}

export const textOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString();
