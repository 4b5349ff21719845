import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import { type LogRecord, TICK_TOPIC } from '../core/log-record.ts';
import type { ActDone, CompactOrder, LogAct, TopicFloor, TrimOrder } from './event-log.ts';
import { keyText } from './key-index.ts';
import type { TopicState } from './log-head.ts';

const DONE = Promise.resolve();

/** Trimming and compaction of a log in memory: records that go become ticks at their append time. */
export class MemoryUpkeep {
  readonly #records: LogRecord[];
  readonly #clock: Clock;
  readonly #floors = new Map<string, TopicFloor>();
  readonly acts: LogAct[] = [];
  /** first sequence that is kept */
  start = 0;

  constructor(records: LogRecord[], clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  floor(topic: string): TopicFloor | undefined {
    return this.#floors.get(topic);
  }

  trim(order: TrimOrder, topic: TopicState): ActDone {
    const { before } = this.#checked(order);
    for (const r of this.#records) if (r.topic === order.topic && r.seq < before) this.#take(r.seq);
    while (this.start < before && this.#records[this.start]?.topic === TICK_TOPIC) this.start++;
    const known = this.#known(topic);
    const floor = Math.max(known.floor, before);
    const since = (this.#records[floor] ?? this.#records.at(-1))?.appendTime ?? 0;
    const starts = topic.ends.map((end, p) => {
      const first = this.#records.find(r => r.topic === order.topic && r.partition === p);
      return first?.offset ?? end;
    });
    this.#floors.set(order.topic, { ...known, floor, since, starts });
    return this.#act(order, order.kind ?? 'trim');
  }

  compact(order: CompactOrder, topic: TopicState): ActDone {
    const { before, tombstonesBefore = 0 } = this.#checked(order);
    const known = this.#known(topic);
    const last = new Map<string, number>();
    const concerned = this.#records.filter(r => r.topic === order.topic && r.seq < before);
    for (const r of concerned) if (r.key !== null) last.set(keyText(r.key), r.seq);
    for (const r of concerned) {
      if (r.key === null) continue;
      const old = r.seq < known.compacted && r.seq < tombstonesBefore;
      if ((last.get(keyText(r.key)) ?? r.seq) > r.seq || (r.value === null && old)) this.#take(r.seq);
    }
    this.#floors.set(order.topic, { ...known, compacted: Math.max(known.compacted, before) });
    return this.#act(order, 'compact');
  }

  #checked<T extends TrimOrder | CompactOrder>(order: T): T {
    const end = this.#records.length;
    if (Number.isSafeInteger(order.before) && order.before >= 0 && order.before <= end) return order;
    throw new MillraceError('invalid_argument', `the log has no sequence ${order.before}`, {
      hint: `it ends at ${end}`,
    });
  }

  #known(topic: TopicState): TopicFloor {
    const starts = topic.ends.map(() => 0);
    return this.#floors.get(topic.spec.name) ?? { floor: 0, since: 0, starts, compacted: 0 };
  }

  #take(seq: number): void {
    const { appendTime } = this.#records[seq]!;
    this.#records[seq] = {
      seq,
      topic: TICK_TOPIC,
      partition: -1,
      offset: 0,
      timestamp: appendTime,
      appendTime,
      key: null,
      value: null,
      headers: [],
    };
  }

  #act(order: TrimOrder | CompactOrder, kind: LogAct['kind']): ActDone {
    const { by, topic, before, incomplete = [] } = order;
    const n = this.acts.length + 1;
    const act = { n, at: this.#clock.now(), by, kind, topic, before, incomplete: [...incomplete] };
    this.acts.push(act);
    return { act, reclaimed: DONE };
  }
}
