import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { MillraceError } from '../../core/errors.ts';
import { faultPoint } from '../../core/fault-points.ts';
import type { RecordBlock } from '../../core/log-record.ts';
import { assertDiskRoom, hearReason } from '../../kv/disk-room.ts';
import type { ActDone, CompactOrder, LogAct, TrimOrder, UpkeepUnderWay } from '../event-log.ts';
import type { TopicState } from '../log-head.ts';
import type { UpkeepWork } from './acts.ts';
import { crossOff, putAct, putWork, storedActs, storedWork } from './acts.ts';
import { BlockRewriter } from './block-rewriter.ts';
import type { BlockStore } from './block-store.ts';
import { LastByKey } from './last-by-key.ts';
import type { LogDatabase, SealedBlock } from './log-environment.ts';
import { segmentKey } from './log-keys.ts';
import { Pace } from './pace.ts';
import type { Sealer } from './sealer.ts';
import { registeredSegments, segmentFile } from './segment-files.ts';
import type { SegmentWriter } from './segment-writer.ts';
import { Turn } from './turn.ts';
import { allSealedBlocks, blocksOfTopic, rewriteSteps } from './upkeep-plan.ts';
import { NO_FLOOR, putTopicFloor, putUpkeepState, topicFloor, upkeepState } from './upkeep-state.ts';

/** One compaction holds the last record of so many keys in memory: 100 MB. What is beyond is for the next one. */
const MOST_KEYS = 4_000_000;

/**
 * Bytes of the disk that upkeep leaves alone: less than appends do, for it is what makes room. Segments of which nothing is
 * kept go without more; blocks that are written anew ask as appends do.
 */
const RESERVE = 8 << 20;

export interface UpkeepPorts {
  readonly db: LogDatabase;
  readonly dir: string;
  readonly clock: Clock;
  readonly store: BlockStore;
  readonly sealer: Sealer;
  readonly writer: SegmentWriter;
  readonly topics: () => readonly TopicState[];
  /** sequence after the last durable record */
  readonly end: () => number;
  /** bytes that the disk has left */
  readonly freeBytes: () => number;
}

/**
 * Trimming and compaction of the embedded log. An act is written down, with the floor that it sets, in one transaction:
 * from then on readers do not see what it takes. The room is freed step by step after it; a crash between is taken up at
 * the next opening.
 */
export class Upkeep {
  readonly #ports: UpkeepPorts;
  readonly #turn = new Turn();
  readonly #mostKeys: number;
  #acts: LogAct[];
  #underWay: UpkeepUnderWay | null = null;
  #closing = false;

  constructor(ports: UpkeepPorts, mostKeys = MOST_KEYS) {
    this.#ports = ports;
    this.#mostKeys = mostKeys;
    this.#acts = storedActs(ports.db);
  }

  get acts(): readonly LogAct[] {
    return this.#acts;
  }

  get underWay(): UpkeepUnderWay | null {
    return this.#underWay;
  }

  /** Goes on with what a crash has cut short. */
  resume(): Promise<void> {
    const work = storedWork(this.#ports.db);
    return this.#turn.take(async () => {
      for (const item of work) await this.#reclaim(item);
    });
  }

  get closing(): boolean {
    return this.#closing;
  }

  /** Nothing is replaced or removed while `work` runs. */
  atRest<T>(work: () => Promise<T>): Promise<T> {
    return this.#turn.take(work);
  }

  /** Ends the work under way after its present step. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#turn.take(async () => {});
  }

  async trim(order: TrimOrder, topic: TopicState): Promise<ActDone> {
    const before = this.#checked(order.before);
    const { store } = this.#ports;
    const known = topicFloor(this.#ports.db, topic.id);
    const floor = Math.max(known.floor, before);
    const starts = topic.ends.map((_, p) => store.offsetAt(topic.id, p, floor));
    const since = store.appendTimeAt(floor, this.#ports.end());
    const work = { kind: 'trim', topic: topic.id, before: floor, tombstonesBefore: 0 } as const;
    return this.#act({ ...order, before, kind: order.kind ?? 'trim' }, work, () =>
      putTopicFloor(this.#ports.db, topic.id, { ...known, floor, since, starts }),
    );
  }

  async compact(order: CompactOrder, topic: TopicState): Promise<ActDone> {
    const before = this.#checked(order.before);
    const tombstonesBefore = Math.min(order.tombstonesBefore ?? 0, before);
    const work = { kind: 'compact', topic: topic.id, before, tombstonesBefore } as const;
    return this.#act({ ...order, before, kind: 'compact' }, work, () => {});
  }

  #checked(before: number): number {
    const end = this.#ports.end();
    if (Number.isSafeInteger(before) && before >= 0 && before <= end) return before;
    throw new MillraceError('invalid_argument', `the log has no sequence ${before}`, {
      hint: `it ends at ${end}`,
    });
  }

  async #act(
    order: Omit<LogAct, 'n' | 'at' | 'incomplete'> & { readonly incomplete?: readonly string[] | undefined },
    work: UpkeepWork,
    change: () => void,
  ): Promise<ActDone> {
    const { db, clock } = this.#ports;
    const { by, kind, topic, before, incomplete = [] } = order;
    const act: LogAct = Object.freeze({
      n: (this.#acts.at(-1)?.n ?? 0) + 1,
      at: clock.now(),
      by,
      kind,
      topic,
      before,
      incomplete: [...incomplete],
    });
    this.#assertRoom();
    this.#acts = [...this.#acts, act];
    faultPoint('upkeep.act');
    await db.batch(() => {
      change();
      putAct(db, act);
      putWork(db, work);
      const { changes, start } = upkeepState(db);
      putUpkeepState(db, { changes: changes + 1, start });
    });
    this.#ports.store.refresh();
    const reclaimed = this.#turn.take(() => this.#reclaim(work));
    reclaimed.catch(() => {}); // whoever waits hears of it
    return { act, reclaimed };
  }

  // ------------------------------------------------------------------ freeing room

  async #reclaim(work: UpkeepWork): Promise<void> {
    if (this.#closing) return;
    const { db, sealer, writer, store, topics } = this.#ports;
    const topic = topics().find(t => t.id === work.topic);
    if (topic === undefined) return;
    this.#show(work, topic, 0);
    try {
      if (work.before > sealer.sealedEnd) await sealer.seal(work.before, false);
      // the file that is written to now may be one of those to be emptied
      await writer.turn.take(() => writer.startFile());
      if (work.kind === 'trim') await this.#reclaimTrimmed(work, topic);
      else await this.#compactTopic(work, topic);
      if (!this.#closing) {
        faultPoint('upkeep.done');
        await db.batch(() => crossOff(db, work));
      }
    } catch (error) {
      hearReason(error);
      // a commit that was reported as failed may be there all the same
      await writer.turn.take(() => writer.restart());
      throw error;
    } finally {
      this.#underWay = null;
      store.refresh();
    }
  }

  async #reclaimTrimmed(work: UpkeepWork, topic: TopicState): Promise<void> {
    await this.#rewrite(work, topic, await this.#belowFloors(), () => true, false);
  }

  /** Bytes of records below the floors of their topics, by block: also what earlier acts have left, it was not worth it. */
  async #belowFloors(): Promise<Map<number, number>> {
    const { db, store, topics } = this.#ports;
    const blocks = await allSealedBlocks(db);
    const dropped = new Map<number, number>();
    for (const { id, spec } of topics()) {
      const { floor } = store.floors.get(id) ?? NO_FLOOR;
      if (floor === 0) continue;
      const cut = blocks.find(b => b.firstSeq < floor && floor < b.firstSeq + b.n);
      for (const [firstSeq, bytes] of await blocksOfTopic(db, id, spec.partitions, floor)) {
        // of the block that the cut goes through, only a part goes
        const share = firstSeq === cut?.firstSeq ? (floor - firstSeq) / cut.n : 1;
        dropped.set(firstSeq, (dropped.get(firstSeq) ?? 0) + bytes * share);
      }
    }
    return dropped;
  }

  async #compactTopic(work: UpkeepWork, topic: TopicState): Promise<void> {
    const { db, store } = this.#ports;
    const known = topicFloor(db, topic.id);
    const ofTopic = await blocksOfTopic(db, topic.id, topic.spec.partitions, work.before);
    const blocks = (await allSealedBlocks(db)).filter(b => ofTopic.has(b.firstSeq));
    const { last, end } = await this.#lastRecords(work, known.compacted, blocks);
    const superseded = (block: RecordBlock, i: number): boolean => {
      const seq = block.firstSeq + i;
      const keyStart = block.keyStart[i]!;
      if (block.topic[i] !== work.topic || seq >= end || keyStart < 0) return false;
      const latest = last.get(block.bytes.subarray(keyStart, block.keyEnd[i]));
      if (latest !== null && latest > seq) return true;
      // only what an earlier compaction went over: nothing older of the key is left there
      return block.valueStart[i]! < 0 && seq < known.compacted && seq < work.tombstonesBefore;
    };
    const dropped = new Map<number, number>();
    const pace = new Pace();
    for (const stored of blocks) {
      if (this.#closing) return;
      const { block } = store.stored(stored);
      let bytes = 0;
      for (let i = 0; i < block.n; i++) {
        if (superseded(block, i))
          bytes += block.keyEnd[i]! - block.keyStart[i]! + block.valueEnd[i]! - block.valueStart[i]! + 48;
      }
      if (bytes > 0) dropped.set(stored.firstSeq, bytes);
      await pace.rest();
    }
    await this.#rewrite(work, topic, dropped, (block, i) => !superseded(block, i), true);
    if (this.#closing) return;
    faultPoint('upkeep.compacted');
    await db.batch(() => {
      const floor = topicFloor(db, topic.id);
      const starts = floor === NO_FLOOR ? topic.ends.map(() => 0) : floor.starts;
      putTopicFloor(db, topic.id, { ...floor, starts, compacted: Math.max(floor.compacted, end) });
      const { changes, start } = upkeepState(db);
      putUpkeepState(db, { changes: changes + 1, start });
    });
  }

  /** The last record of each key among those that no compaction went over yet; up to `end`, where memory sets an end. */
  async #lastRecords(
    work: UpkeepWork,
    from: number,
    blocks: readonly SealedBlock[],
  ): Promise<{ last: LastByKey; end: number }> {
    const last = new LastByKey(this.#mostKeys);
    const pace = new Pace();
    for (const stored of blocks) {
      if (this.#closing) break;
      if (stored.firstSeq + stored.n <= from) continue;
      if (last.full) return { last, end: stored.firstSeq };
      const { block } = this.#ports.store.stored(stored);
      for (let i = 0; i < block.n; i++) {
        const seq = block.firstSeq + i;
        if (block.topic[i] !== work.topic || block.keyStart[i]! < 0 || seq >= work.before) continue;
        last.set(block.bytes.subarray(block.keyStart[i]!, block.keyEnd[i]), seq);
      }
      await pace.rest();
    }
    return { last, end: work.before };
  }

  async #rewrite(
    work: UpkeepWork,
    topic: TopicState,
    dropped: ReadonlyMap<number, number>,
    keep: (block: RecordBlock, i: number) => boolean,
    every: boolean,
  ): Promise<void> {
    const { db, store, writer, topics } = this.#ports;
    const all = await allSealedBlocks(db);
    const steps = rewriteSteps(db, all, dropped, every);
    const { floors } = store;
    const left = new Map<number, number>();
    for (const { segment } of all) left.set(segment, (left.get(segment) ?? 0) + 1);
    const rewriter = new BlockRewriter(
      {
        db,
        writer,
        read: block => store.stored(block),
        indexed: new Set(topics().flatMap(t => (t.spec.keyIndex ? [t.id] : []))),
        assertRoom: () => this.#assertRoom(),
        onReplaced: async blocks => {
          for (const { segment } of blocks) left.set(segment, (left.get(segment) ?? 0) - 1);
          await this.#removeSegments([...left].flatMap(([segment, n]) => (n === 0 ? [segment] : [])));
          for (const [segment, n] of left) if (n === 0) left.delete(segment);
        },
      },
      // what an earlier act has taken from other topics goes along
      (block, i) => block.firstSeq + i >= (floors.get(block.topic[i]!)?.floor ?? 0) && keep(block, i),
    );
    let damage: unknown = null;
    for (const [i, { block, all: whole }] of steps.entries()) {
      if (this.#closing) break;
      try {
        await rewriter.add(block, whole);
      } catch (error) {
        // a damaged block stays where it is, with its segment; the others do not wait for it
        if (!(error instanceof MillraceError && error.code === 'data_corrupt')) throw error;
        damage ??= error;
      }
      this.#show(work, topic, (i + 1) / steps.length);
    }
    await rewriter.finish();
    // a crash may have left files of which nothing is in use
    const used = new Set((await allSealedBlocks(db)).map(b => b.segment));
    await this.#removeSegments(registeredSegments(db).flatMap(s => (used.has(s.segment) ? [] : [s.segment])));
    if (damage !== null) throw damage;
  }

  /** Files that no block lies in any more; the one that is written to stays. */
  async #removeSegments(segments: readonly number[]): Promise<void> {
    const { db, dir, writer } = this.#ports;
    const empty = segments.filter(s => s !== writer.segment);
    if (empty.length === 0) return;
    faultPoint('upkeep.segment.forget');
    await db.batch(() => {
      for (const segment of empty) void db.remove(segmentKey(segment));
      const { changes, start } = upkeepState(db);
      putUpkeepState(db, { changes: changes + 1, start });
    });
    this.#ports.store.refresh();
    for (const segment of empty) {
      faultPoint('upkeep.segment.remove');
      rmSync(join(dir, segmentFile(segment)), { force: true });
    }
  }

  #assertRoom(): void {
    assertDiskRoom(this.#ports.freeBytes(), 0, RESERVE);
  }

  #show(work: UpkeepWork, topic: TopicState, fraction: number): void {
    this.#underWay = { kind: work.kind, topic: topic.spec.name, fraction };
  }
}
