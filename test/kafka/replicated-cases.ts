import { ManualClock, systemClock } from '../../src/core/clock.ts';
import { recordAt } from '../../src/core/log-record.ts';
import { Replicator } from '../../src/kafka/replicator.ts';
import type { AppendRecord, EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import type { CaseInput, SqlCase } from '../cases/case-file.ts';
import { type PreparedCase, planCase, recordEncoder } from '../cases/case-runner.ts';
import { until } from '../until.ts';
import type { Topics } from './topics.ts';

/** Some records in a row that stand in one topic, or what is not a record. */
interface Stretch {
  readonly tick?: number | undefined;
  /** ms; the clock of the log when they come */
  readonly at?: number | undefined;
  readonly records: readonly AppendRecord[];
}

interface LaidCase extends Omit<PreparedCase, 'log'> {
  readonly test: SqlCase;
  readonly topics: readonly string[];
  readonly stretches: readonly Stretch[];
}

/**
 * Puts the records of SQL cases into Kafka, each case into topics of its own, and copies them into logs: into one that
 * all cases share, which is taken apart then, and into one of its own for each case that moves the clock. Records of different topics come in the order that
 * the case says, since the next ones are sent when those before are here.
 */
export class ReplicatedCases {
  readonly #topics: Topics;
  readonly #prepared = new Map<SqlCase, PreparedCase>();

  private constructor(topics: Topics) {
    this.#topics = topics;
  }

  static async layDown(cases: readonly SqlCase[], topics: Topics): Promise<ReplicatedCases> {
    const laid = cases.map((test, i) => laidCase(test, `${process.pid}-${i}`));
    await topics.createAll(laid.flatMap(c => c.topics));
    const replicated = new ReplicatedCases(topics);
    const timed = laid.filter(c => c.stretches.some(s => s.tick !== undefined || s.at !== undefined));
    await replicated.#replicate(laid.filter(c => !timed.includes(c)));
    for (const one of timed) await replicated.#replicate([one]);
    return replicated;
  }

  prepared(test: SqlCase): PreparedCase {
    const found = this.#prepared.get(test);
    if (found === undefined) throw new Error(`${test.name} was not laid down`);
    return found;
  }

  async #replicate(cases: readonly LaidCase[]): Promise<void> {
    const clock = new ManualClock(0);
    const log = createMemoryLog({ clock, id: 'case' });
    const wanted = new Set(cases.flatMap(c => c.topics));
    const replicator = new Replicator({
      log,
      settings: this.#topics.settings,
      clock: systemClock,
      wanted: () => wanted,
      report: () => {},
    });
    const producer = this.#topics.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    replicator.start();
    try {
      const rounds = Math.max(...cases.map(c => c.stretches.length));
      for (let round = 0; round < rounds; round++) {
        const now = cases.flatMap(c => c.stretches[round] ?? []);
        for (const { tick, at } of now) {
          if (tick !== undefined) log.tick(tick);
          if (at !== undefined) clock.set(at);
        }
        const sent = now.filter(s => s.records.length > 0);
        if (sent.length === 0) continue;
        const topicMessages = sent.map(({ records }) => ({
          topic: records[0]?.topic ?? '',
          messages: records.map(message),
        }));
        const counted = new Map(topicMessages.map(({ topic }) => [topic, log.topic(topic)?.records ?? 0]));
        await producer.sendBatch({ topicMessages });
        for (const { topic, messages } of topicMessages) {
          const count = (counted.get(topic) ?? 0) + messages.length;
          await until(`${topic} is here`, () => log.topic(topic)?.records === count, 60_000);
        }
      }
    } finally {
      await producer.disconnect();
      await replicator.stop();
    }
    for (const { test, options, topics } of cases) {
      this.#prepared.set(test, { options, log: cases.length === 1 ? log : partOf(log, topics) });
    }
  }
}

function laidCase(test: SqlCase, suffix: string): LaidCase {
  const own = (topic: string) => `${topic}-${suffix}`;
  const statements = test.statements.map(s =>
    s.replace(/(KAFKA_TOPIC\s*=\s*')([^']+)'/gi, (_, a, t) => `${a}${own(t)}'`),
  );
  const options = planCase({ ...test, statements });
  const encode = recordEncoder(options);
  const stretches: (Stretch & { readonly records: AppendRecord[] })[] = [];
  for (const input of test.records ?? []) {
    const last = stretches.at(-1);
    if (input.tick !== undefined) stretches.push({ tick: input.tick, records: [] });
    else {
      const record = encode({ ...input, topic: own(input.topic ?? 'in') } satisfies CaseInput);
      if (last !== undefined && last.records[0]?.topic === record.topic && input.at === undefined)
        last.records.push(record);
      else stretches.push({ at: input.at, records: [record] });
    }
  }
  return { test, options, topics: [...new Set(options.plan.sources.map(s => s.topic))], stretches };
}

function message({ key, value, timestamp, headers }: AppendRecord) {
  return {
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    timestamp: String(timestamp ?? 0),
    headers: Object.fromEntries((headers ?? []).map(h => [h.name, Buffer.from(h.value ?? [])])),
  };
}

/** What stands in some topics, as it stands there. */
function partOf(log: EventLog, topics: readonly string[]): EventLog {
  const part = createMemoryLog({ clock: new ManualClock(0), id: 'case' });
  for (const name of topics) part.createTopic({ name, partitions: 1, keyIndex: false });
  for (const block of log.read(0)) {
    for (let i = 0; i < block.n; i++) {
      const { appendTime, seq, offset, partition, ...record } = recordAt(block, i);
      if (topics.includes(record.topic)) part.append({ records: [record], appendTime });
    }
  }
  return part;
}
