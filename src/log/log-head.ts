import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import { TICK_TOPIC } from '../core/log-record.ts';
import type {
  Append,
  Appended,
  AppendedRecord,
  AppendRecord,
  TopicFloor,
  TopicInfo,
  TopicSpec,
} from './event-log.ts';
import type { LogLimits } from './log-limits.ts';
import { checkedRecordBytes, checkTopicSpec } from './log-limits.ts';
import { partitionOf } from './murmur2.ts';

/** A topic as the writer keeps it: `id` is dense in order of creation; id 0 is the topic of ticks. */
export interface TopicState {
  readonly id: number;
  spec: TopicSpec;
  /** next offset per partition */
  readonly ends: number[];
  records: number;
}

/** One append after every check, with everything assigned. */
export interface Accepted {
  readonly records: readonly AppendedRecord[];
  /** the topic of each record */
  readonly topics: readonly TopicState[];
  readonly firstSeq: number;
  readonly appendTime: number;
  /** of keys, values and headers */
  readonly bytes: number;
}

export function topicInfo(topic: TopicState, floor?: TopicFloor): TopicInfo {
  const info = { ...topic.spec, ends: [...topic.ends], records: topic.records };
  return floor === undefined ? info : { ...info, floor };
}

/**
 * The head of a log: what the next append gets. It checks an append whole before it assigns anything, so a refused
 * append leaves no trace. Both adapters accept through it; they differ in where the records go.
 */
export class LogHead {
  readonly limits: LogLimits;
  readonly #replicatedLimits: LogLimits;
  readonly #clock: Clock;
  readonly #topics = new Map<string, TopicState>();
  /** the topic of ticks */
  readonly ticks: TopicState;
  #nextSeq = 0;
  #lastAppendTime = 0;

  constructor(clock: Clock, limits: LogLimits) {
    this.#clock = clock;
    this.limits = limits;
    this.#replicatedLimits = { ...limits, recordBytes: limits.replicatedRecordBytes };
    this.ticks = {
      id: 0,
      spec: { name: TICK_TOPIC, partitions: 1, keyIndex: false },
      ends: [0],
      records: 0,
    };
  }

  get nextSeq(): number {
    return this.#nextSeq;
  }

  get lastAppendTime(): number {
    return this.#lastAppendTime;
  }

  /** Continues from what storage holds; topics in order of their ids, the topic of ticks among them. */
  restore(nextSeq: number, lastAppendTime: number, topics: Iterable<TopicState>): void {
    this.#nextSeq = nextSeq;
    this.#lastAppendTime = lastAppendTime;
    this.#topics.clear();
    this.ticks.ends[0] = 0;
    this.ticks.records = 0;
    for (const topic of topics) {
      if (topic.id !== 0) this.#topics.set(topic.spec.name, topic);
      else {
        this.ticks.ends[0] = topic.ends[0] ?? 0;
        this.ticks.records = topic.records;
      }
    }
  }

  topic(name: string): TopicState | null {
    return this.#topics.get(name) ?? null;
  }

  knownTopic(name: string): TopicState {
    const topic = this.#topics.get(name);
    if (topic !== undefined) return topic;
    throw new MillraceError('unknown_topic', `there is no topic "${name.slice(0, 249)}"`);
  }

  /** users' topics in order of creation */
  states(): TopicState[] {
    return [...this.#topics.values()];
  }

  /** The topic of this spec and whether it is new. */
  createTopic(spec: TopicSpec): { topic: TopicState; created: boolean } {
    checkTopicSpec(spec, this.limits);
    const found = this.#topics.get(spec.name);
    if (found !== undefined) {
      if (found.spec.partitions !== spec.partitions || found.spec.keyIndex !== spec.keyIndex) {
        throw new MillraceError('topic_exists', `topic "${spec.name}" exists with other settings`, {
          hint: `it has ${found.spec.partitions} partition(s) and ${found.spec.keyIndex ? 'a' : 'no'} key index`,
        });
      }
      return { topic: found, created: false };
    }
    if (this.#topics.size >= this.limits.topics) {
      throw new MillraceError('limit_exceeded', `there are ${this.#topics.size} topics already`);
    }
    const topic: TopicState = {
      id: this.#topics.size + 1,
      spec: Object.freeze({ name: spec.name, partitions: spec.partitions, keyIndex: spec.keyIndex }),
      ends: new Array<number>(spec.partitions).fill(0),
      records: 0,
    };
    this.#topics.set(spec.name, topic);
    return { topic, created: true };
  }

  /** The topic of copied records, whether it is new and whether it was changed. */
  replicateTopic(
    name: string,
    partitions: number,
  ): { topic: TopicState; created: boolean; changed: boolean } {
    const found = this.#topics.get(name);
    const { topic, created } =
      found === undefined
        ? this.createTopic({ name, partitions, keyIndex: false })
        : { topic: found, created: false };
    const { spec } = topic;
    if (spec.replicated ? spec.partitions > partitions : topic.records > 0) {
      throw new MillraceError('topic_exists', `topic "${name}" cannot be replicated`, {
        hint: spec.replicated
          ? `it has ${spec.partitions} partitions already: partitions cannot be taken away`
          : 'it holds records of its own',
      });
    }
    if (spec.replicated && spec.partitions === partitions) return { topic, created, changed: created };
    const wanted = { name, partitions, keyIndex: spec.keyIndex, replicated: true } as const;
    checkTopicSpec(wanted, this.limits);
    topic.spec = Object.freeze(wanted);
    while (topic.ends.length < partitions) topic.ends.push(0);
    topic.ends.length = partitions;
    return { topic, created, changed: true };
  }

  accept(append: Append): Accepted {
    const { records } = append;
    if (records.length > this.limits.recordsPerAppend) throw tooMuch(`${records.length} records`);
    const topics: TopicState[] = [];
    const partitions: number[] = [];
    let bytes = 0;
    const ends = new Map<TopicState, number[]>();
    for (const record of records) {
      const topic = this.knownTopic(record.topic);
      const { replicated = false } = topic.spec;
      bytes += checkedRecordBytes(record, replicated ? this.#replicatedLimits : this.limits);
      topics.push(topic);
      const partition = choosePartition(topic, record);
      partitions.push(partition);
      if (replicated || record.offset !== undefined) checkOffset(topic, { record, partition, ends });
    }
    if (bytes > this.limits.appendBytes) throw tooMuch(`${bytes} bytes`);
    const firstSeq = this.#nextSeq;
    const appended = topics.map((topic, i) =>
      this.#assign(topic, { partition: partitions[i]!, seq: firstSeq + i, offset: records[i]?.offset }),
    );
    // only a record carries a time: an append of positions alone does not move it
    const appendTime = records.length === 0 ? this.#lastAppendTime : this.#moveTime(append.appendTime);
    return { records: appended, topics, firstSeq, appendTime, bytes };
  }

  acceptTick(appendTime: number): Accepted {
    const firstSeq = this.#nextSeq;
    const record = this.#assign(this.ticks, { partition: 0, seq: firstSeq, offset: undefined });
    this.#lastAppendTime = Math.max(this.#lastAppendTime, appendTime);
    return { records: [record], topics: [this.ticks], firstSeq, appendTime: this.#lastAppendTime, bytes: 0 };
  }

  #assign(
    topic: TopicState,
    at: { readonly partition: number; readonly seq: number; readonly offset: number | undefined },
  ): AppendedRecord {
    const { partition, seq } = at;
    const offset = at.offset ?? topic.ends[partition]!;
    topic.ends[partition] = offset + 1;
    topic.records++;
    this.#nextSeq = seq + 1;
    return { topic: topic.spec.name, partition, offset, seq };
  }

  #moveTime(simulated: number | undefined): number {
    const last = this.#lastAppendTime;
    const time = simulated !== undefined && simulated >= last ? simulated : Math.max(last, this.#clock.now());
    this.#lastAppendTime = time;
    return time;
  }
}

/** What the caller of `append` gets back. */
export function appendedOf(accepted: Accepted, durable: Promise<void>): Appended {
  const { records, firstSeq, appendTime } = accepted;
  return { records, end: firstSeq + records.length, appendTime, durable };
}

function choosePartition(topic: TopicState, record: AppendRecord): number {
  const { partitions } = topic.spec;
  const { partition } = record;
  if (partition === undefined) return partitionOf(record.key, partitions);
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition;
  throw new MillraceError('invalid_argument', `topic "${topic.spec.name}" has no partition ${partition}`, {
    hint: `its partitions are 0 to ${partitions - 1}`,
  });
}

/** Offsets of a replicated topic come with its records and only grow; those of other topics are given here. */
function checkOffset(
  topic: TopicState,
  of: {
    readonly record: AppendRecord;
    readonly partition: number;
    /** after the records before it in the same append */
    readonly ends: Map<TopicState, number[]>;
  },
): void {
  const { offset } = of.record;
  if (!topic.spec.replicated) {
    throw new MillraceError('invalid_argument', `offsets of topic "${topic.spec.name}" are given by the log`);
  }
  if (offset === undefined) {
    throw new MillraceError('topic_protected', `topic "${topic.spec.name}" is a copy`, {
      hint: 'write the record where the topic comes from',
    });
  }
  let ends = of.ends.get(topic);
  if (ends === undefined) {
    ends = [...topic.ends];
    of.ends.set(topic, ends);
  }
  const end = ends[of.partition]!;
  if (!Number.isSafeInteger(offset) || offset < end) {
    throw new MillraceError(
      'invalid_argument',
      `offset ${offset} of topic "${topic.spec.name}" (partition ${of.partition}) lies before its end ${end}`,
    );
  }
  ends[of.partition] = offset + 1;
}

function tooMuch(what: string): MillraceError {
  return new MillraceError('limit_exceeded', `${what} are too many for one append`, {
    hint: 'split the append',
  });
}
