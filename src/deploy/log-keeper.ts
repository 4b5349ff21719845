import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import type { ActDone, EventLog, LogAct, TopicInfo, UpkeepUnderWay } from '../log/event-log.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { closest } from '../sql/suggest.ts';
import { topicReaders } from './topic-readers.ts';

/** Who follows a topic with a position of its own. */
export interface TopicHandler {
  readonly name: string;
  readonly topic: string;
  readonly position: number;
}

export interface LogKeeperPorts {
  readonly log: EventLog;
  readonly clock: Clock;
  /** served views and those of the files */
  readonly plans: () => readonly ViewPlan[];
  /** names of views that are being built */
  readonly building: () => readonly string[];
  /** after a crash the views go on from here or later */
  readonly committed: () => number;
  readonly handlers: () => readonly TopicHandler[];
  /** topics of which every record is needed by its own writer, with who that is */
  readonly owned: ReadonlyMap<string, string>;
  /** topics of which the writer needs the last record of each key */
  readonly ownedByKey: ReadonlyMap<string, string>;
  /** ms for which the records of a topic are needed at least, from their append on */
  readonly keptFor: ReadonlyMap<string, number>;
}

/** Where to cut: a sequence, an append time (ms), or an offset of a partition. */
export type Cut =
  | { readonly seq: number }
  | { readonly time: number }
  | { readonly partition: number; readonly offset: number };

export interface UpkeepRequest {
  readonly kind: 'trim' | 'compact';
  readonly topic: string;
  readonly before: Cut;
  readonly by: string;
  /** views that read the topic may lose what they would need to be rebuilt exactly */
  readonly acceptIncompleteRebuilds: boolean;
  /** compaction: tombstones appended before this time (ms) may go */
  readonly tombstonesBefore?: number | undefined;
}

/** What an act would do. */
export interface UpkeepPreview {
  readonly topic: string;
  readonly before: number;
  /** records of the topic below it that are there now */
  readonly records: number;
  /** views that could no longer be rebuilt exactly */
  readonly incomplete: readonly string[];
}

/**
 * Guards what is taken from the log: nothing that a view, a command handler or a reaction has not read yet, nothing that
 * one of them needs again, and the history of views only on an operator's explicit word.
 */
export class LogKeeper {
  readonly #ports: LogKeeperPorts;

  constructor(ports: LogKeeperPorts) {
    this.#ports = ports;
  }

  acts(): readonly LogAct[] {
    return this.#ports.log.acts();
  }

  underWay(): UpkeepUnderWay | null {
    return this.#ports.log.upkeep();
  }

  /** Throws what `perform` would throw, but for the missing consent. */
  preview(request: Omit<UpkeepRequest, 'by' | 'acceptIncompleteRebuilds'>): UpkeepPreview {
    const topic = this.#topic(request.topic);
    this.#refuseOwned(request.kind, topic.name);
    const before = this.#sequence(topic, request.before);
    const incomplete = this.incomplete(request.kind, topic.name);
    this.#refuseEarly(topic.name, before);
    return { topic: topic.name, before, records: recordsBelow(this.#ports.log, topic, before), incomplete };
  }

  /** Throws `topic_in_use`, naming the views, unless the request accepts it. */
  async perform(request: UpkeepRequest): Promise<ActDone> {
    const { topic, before, incomplete } = this.preview(request);
    const { kind, by, acceptIncompleteRebuilds, tombstonesBefore } = request;
    if (incomplete.length > 0 && !acceptIncompleteRebuilds) throw inUse(kind, topic, incomplete);
    const { log } = this.#ports;
    if (kind === 'trim') return log.trim({ topic, before, by, incomplete });
    return log.compact({
      topic,
      before,
      by,
      incomplete,
      tombstonesBefore: tombstonesBefore === undefined ? 0 : log.seqAtTime(tombstonesBefore),
    });
  }

  /** The views that an act of this kind on the topic would rob of an exact rebuild, sorted. */
  incomplete(kind: 'trim' | 'compact', topic: string): string[] {
    const readers = topicReaders(topic, this.#ports.plans());
    return readers
      .filter(r => kind === 'trim' || !r.afterCompaction)
      .map(r => r.view)
      .sort();
  }

  /** The highest sequence below which nobody has anything left to read in a topic; null when it is never to be cut. */
  highestCut(kind: 'trim' | 'compact', topic: string): number | null {
    const { owned, ownedByKey, handlers, committed, building } = this.#ports;
    if (owned.has(topic) || (kind === 'trim' && ownedByKey.has(topic))) return null;
    if (this.#readersAmong(topic, building()).length > 0) return null;
    const positions = handlers().flatMap(h => (h.topic === topic ? [h.position] : []));
    return Math.min(committed(), this.#youngestCut(topic), ...positions);
  }

  #topic(name: string): TopicInfo {
    const topic = this.#ports.log.topic(name);
    if (topic !== null) return topic;
    const topics = this.#ports.log.topics().map(t => t.name);
    const near = closest(name, topics);
    throw new MillraceError('unknown_topic', `there is no topic "${name.slice(0, 80)}"`, {
      hint: near === null ? 'GET /topics lists them, and "millrace log show"' : `did you mean "${near}"?`,
    });
  }

  #refuseOwned(kind: 'trim' | 'compact', topic: string): void {
    const { owned, ownedByKey } = this.#ports;
    const owner = owned.get(topic) ?? (kind === 'trim' ? ownedByKey.get(topic) : undefined);
    if (owner === undefined) return;
    throw new MillraceError('topic_protected', `topic "${topic}" is kept whole: ${owner}`, {
      hint: ownedByKey.has(topic) ? 'it can be compacted' : undefined,
    });
  }

  #refuseEarly(topic: string, before: number): void {
    const { building, committed, handlers } = this.#ports;
    const built = this.#readersAmong(topic, building());
    if (built.length > 0) {
      throw new MillraceError('topic_in_use', `topic "${topic}" is being read to build ${built.join(', ')}`, {
        hint: `try again when the build is done, or cancel it with "millrace replay ${built[0]} --cancel"`,
        data: { topic, building: built },
      });
    }
    const behind = handlers().filter(h => h.topic === topic && h.position < before);
    if (behind.length > 0) {
      const names = behind.map(h => h.name);
      throw new MillraceError(
        'topic_in_use',
        `topic "${topic}" has records that ${names.join(', ')} has not handled yet`,
        { hint: 'cut at a lower position, or wait until they are handled', data: { topic, handlers: names } },
      );
    }
    if (before > this.#youngestCut(topic)) {
      throw new MillraceError('topic_in_use', `topic "${topic}" has records that are still needed`, {
        hint: 'cut at an earlier time: commands must be known again as long as keepResultsFor says',
        data: { topic },
      });
    }
    const readers = topicReaders(topic, this.#ports.plans());
    if (readers.length > 0 && committed() < before) {
      throw new MillraceError('view_behind', `the views have not yet made durable what they read so far`, {
        hint: 'try again in a moment',
        data: { position: committed(), asked: before },
      });
    }
  }

  #youngestCut(topic: string): number {
    const { log, clock, keptFor } = this.#ports;
    const keep = keptFor.get(topic);
    return keep === undefined ? log.end() : log.seqAtTime(clock.now() - keep);
  }

  #readersAmong(topic: string, views: readonly string[]): string[] {
    if (views.length === 0) return [];
    const readers = topicReaders(topic, this.#ports.plans()).map(r => r.view);
    return views.filter(v => readers.includes(v));
  }

  #sequence(topic: TopicInfo, cut: Cut): number {
    const { log } = this.#ports;
    if ('seq' in cut) {
      if (cut.seq <= log.end()) return cut.seq;
      throw new MillraceError('position_ahead', 'this position lies ahead of the log');
    }
    if ('time' in cut) return log.seqAtTime(cut.time);
    if (cut.partition < topic.partitions) return log.seqAtOffset(topic.name, cut.partition, cut.offset);
    throw new MillraceError('invalid_argument', `topic "${topic.name}" has no partition ${cut.partition}`);
  }
}

function recordsBelow(log: EventLog, topic: TopicInfo, before: number): number {
  const starts = topic.floor?.starts ?? topic.ends.map(() => 0);
  return log
    .offsetsAt(topic.name, before)
    .reduce((sum, end, p) => sum + Math.max(0, end - (starts[p] ?? 0)), 0);
}

function inUse(kind: 'trim' | 'compact', topic: string, views: readonly string[]): MillraceError {
  const one = views.length === 1;
  return new MillraceError(
    'topic_in_use',
    `topic "${topic}" is read by ${views.join(', ')}: after this ${one ? 'it' : 'they'} could no longer be rebuilt exactly`,
    {
      hint: `their rows stay as they are; say --accept-incomplete-rebuilds to ${kind} it all the same`,
      data: { topic, views },
    },
  );
}
