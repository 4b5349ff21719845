import { assert } from '../../core/assert.ts';
import { MillraceError } from '../../core/errors.ts';
import type { LogRecord, RecordBlock } from '../../core/log-record.ts';
import { recordAt } from '../../core/log-record.ts';
import type { TopicFloor } from '../event-log.ts';
import { MAX_READ_RECORDS } from '../record-block.ts';
import { blockInfo, blockOfRun, columnsOfRun, runInfo } from './block-layout.ts';
import { damaged } from './damage.ts';
import type { Floors } from './gaps.ts';
import { aboveFloors, isGap } from './gaps.ts';
import type { LogDatabase, SealedBlock, StoredHead } from './log-environment.ts';
import { lastUpTo, sealedBlock, storedHead, storedTopic, storedTopics } from './log-environment.ts';
import {
  afterPrefix,
  BLOCKS,
  blockKey,
  offsetKey,
  readNumbers,
  recordKeyPrefix,
  sequenceOf,
  TAIL,
  tailKey,
  withSequence,
} from './log-keys.ts';
import { type RecordColumns, ReusedColumns, sliceBlock } from './record-columns.ts';
import type { FilledRun } from './run-memory.ts';
import { registeredSegments } from './segment-files.ts';
import { blockDamageAt, SegmentReader } from './segment-reader.ts';
import { readSparseBlock } from './sparse-block.ts';
import { assertWholeTailBlock, readTailRun } from './tail-run.ts';
import { topicFloors, upkeepState } from './upkeep-state.ts';

/** One read takes at most about this many bytes, so that byte ranges fit 32 bits and memory stays bounded. */
const RUN_BYTES = 4 << 20;
const CACHED_BLOCKS = 64;
/** Of this many blocks of the tail a store remembers that they are whole. */
const WHOLE_TAIL_BLOCKS = 4096;
const AFTER_BLOCKS = afterPrefix(BLOCKS);

/** Sequences [firstSeq, end) and their append times, which never decrease. */
interface Span {
  readonly firstSeq: number;
  readonly end: number;
  readonly minAppendTime: number;
  readonly maxAppendTime: number;
}

/**
 * What is durable in a log folder, tail and segments alike. It reads the state of the last {@link refresh} or newer,
 * and holds no transaction between calls.
 */
export class BlockStore {
  readonly #db: LogDatabase;
  readonly #segments: SegmentReader;
  /** of scans */
  readonly #columns = new ReusedColumns();
  /** sealed blocks of single reads by first sequence, least recently used first */
  readonly #cache = new Map<number, RecordBlock>();
  readonly #wholeTail = new Set<number>();
  #names: readonly string[] = [];
  #upkeep = { changes: 0, start: 0 };
  #floors: ReadonlyMap<number, TopicFloor> = new Map();
  #lowest: Floors = new Map();
  /** no topic has a higher floor */
  #highestFloor = 0;

  constructor(db: LogDatabase, dir: string) {
    this.#db = db;
    this.#segments = new SegmentReader(dir);
  }

  /** Sees everything committed up to now. */
  refresh(): StoredHead {
    this.#db.resetReadTxn();
    const head = storedHead(this.#db);
    if (head.topics !== this.#names.length) this.#names = storedTopics(this.#db).map(t => t.name);
    const upkeep = upkeepState(this.#db);
    if (upkeep.changes !== this.#upkeep.changes) this.#upkeepChanged(upkeep);
    return head;
  }

  /** Holds no transaction from here on until the next read: for a thread that comes to no turn of the event loop. */
  release(): void {
    this.#db.resetReadTxn();
  }

  /** first sequence that is kept, of any topic */
  get start(): number {
    return this.#upkeep.start;
  }

  /** what upkeep has taken, by id of the topic */
  get floors(): ReadonlyMap<number, TopicFloor> {
    return this.#floors;
  }

  /** grows whenever upkeep has changed what is kept */
  get upkeepChanges(): number {
    return this.#upkeep.changes;
  }

  /** by id */
  get topicNames(): readonly string[] {
    return this.#names;
  }

  /**
   * Reads the sealed blocks around [seq, until) that lie side by side into `memory`, and the columns of all of them into
   * those that `columns` gives (null: no room). Null when they are not sealed, or have gaps, or do not fit.
   */
  sealedRunInto(
    seq: number,
    until: number,
    memory: Uint8Array,
    columns: (run: { readonly length: number; readonly n: number }) => RecordColumns | null,
  ): (FilledRun & { readonly end: number }) | null {
    const tail = lastUpTo(this.#db, TAIL, tailKey(seq));
    if (seq < this.#highestFloor || (tail !== null && seq < endOfTailBlock(tail))) return null;
    const blocks = this.#sealedRun(seq, until);
    const [first] = blocks;
    const stored = blocks.reduce((bytes, b) => bytes + b.length, 0);
    if (first === undefined || first.kept < first.n) return null;
    const bytes = stored > memory.length ? null : this.#segments.read(blocks, false, memory);
    if (bytes === null) return null;
    const { length } = bytes;
    const { n, headers } = runInfo(bytes);
    const to = columns({ length, n });
    if (to === null) return null;
    if (n > first.n) columnsOfRun(bytes, to);
    return { length, n, headers, end: first.firstSeq + n };
  }

  /** `reuse`: sealed blocks stand in memory that the next ones take. */
  *read(from: number, to: number, maxRecords = MAX_READ_RECORDS, reuse = false): Generator<RecordBlock> {
    assert(maxRecords >= 1, 'a block has at least one record');
    let seq = Math.max(this.start, from);
    while (seq < to) {
      const run = this.#run(seq, Math.min(maxRecords, to - seq), reuse);
      const last = Math.min(to, run.firstSeq + run.n);
      while (seq < last) {
        const next = Math.min(last, seq + maxRecords);
        const block = sliceBlock(run, seq - run.firstSeq, next - run.firstSeq);
        seq = next;
        yield block;
      }
      this.refresh();
      seq = Math.max(seq, this.start);
    }
  }

  /** Null: upkeep has taken it. */
  record(seq: number): LogRecord | null {
    if (seq < this.start) return null;
    const block = this.#tailBlock(seq) ?? this.#block(seq);
    return isGap(block, seq - block.firstSeq) ? null : recordAt(block, seq - block.firstSeq);
  }

  /** The append time of a record, kept or not; of the last one at the end. 0 when nothing is left there. */
  appendTimeAt(seq: number, end: number): number {
    const at = Math.min(seq, end - 1);
    if (at < this.start) return 0;
    const block = this.#block(at);
    return block.appendTime[at - block.firstSeq] ?? 0;
  }

  /** The first sequence in [start, end) whose append time is at least `ms`, or `end`. */
  seqAtTime(ms: number, start: number, end: number): number {
    let low = start;
    let high = end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const span = this.#span(middle);
      if (span.maxAppendTime < ms) low = span.end;
      else if (span.minAppendTime >= ms) high = Math.max(start, span.firstSeq);
      else {
        const block = this.#block(middle);
        let i = 0;
        while (block.appendTime[i]! < ms) i++;
        return block.firstSeq + i;
      }
    }
    return low;
  }

  /** Sequences in [from, end) of a key, in order. */
  *sequencesOfKey(topic: number, key: Uint8Array, from: number, end: number): Generator<number> {
    const prefix = recordKeyPrefix(topic, key);
    const range = { start: withSequence(prefix, from), end: withSequence(prefix, end) };
    for (const found of this.#db.getKeys(range)) yield sequenceOf(found);
  }

  /** The last sequence of a key before `end`, or null. */
  lastSequenceOfKey(topic: number, key: Uint8Array, end: number): number | null {
    if (end <= 0) return null;
    const prefix = recordKeyPrefix(topic, key);
    const found = lastUpTo(this.#db, prefix, withSequence(prefix, end - 1));
    return found === null ? null : sequenceOf(found.key);
  }

  /** A sealed block as it is stored, without regard to floors: what upkeep reads. Throws `data_corrupt`. */
  stored(block: SealedBlock): { readonly bytes: Uint8Array; readonly block: RecordBlock } {
    const bytes = this.#segments.read([block]);
    if (bytes === null) throw damaged(blockDamageAt(block, 'the file is missing'));
    const { kept, n } = block;
    return { bytes, block: kept < n ? readSparseBlock(bytes, this.#names) : blockOfRun(bytes, this.#names) };
  }

  /** Up to `limit` records of one partition from an offset. */
  partition(topic: number, partition: number, fromOffset: number, limit: number): LogRecord[] {
    const records: LogRecord[] = [];
    const first = offsetKey(topic, partition, fromOffset);
    const before = lastUpTo(this.#db, offsetKey(topic, partition, 0).subarray(0, 9), first);
    const range = {
      start: before?.key ?? first,
      end: offsetKey(topic, partition, Number.MAX_SAFE_INTEGER),
    };
    for (const { value } of this.#db.getRange(range)) {
      if (records.length >= limit) break;
      const block = this.#block(readNumbers(value)[0]!);
      for (let i = 0; i < block.n && records.length < limit; i++) {
        if (block.topic[i] !== topic || block.partition[i] !== partition) continue;
        if (block.offset[i]! >= fromOffset) records.push(recordAt(block, i));
      }
    }
    return records;
  }

  /** The first offset of a partition whose record has at least this sequence; the partition's end when there is none. */
  offsetAt(topic: number, partition: number, seq: number): number {
    const { ends = [] } = storedTopic(this.#db, topic) ?? {};
    const end = ends[partition] ?? 0;
    const from = (offset: number) => this.partition(topic, partition, offset, 1)[0];
    let low = this.#floors.get(topic)?.starts[partition] ?? 0;
    let high = end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const record = from(middle);
      // where nothing is left from there on, what is looked for lies before, or nowhere
      if (record === undefined || record.seq >= seq) high = middle;
      else low = record.offset + 1;
    }
    return from(low)?.offset ?? end;
  }

  /** Up to `limit` records of all partitions from an offset in each, in order of sequence. */
  topicRecords(topic: number, fromOffset: number, limit: number): LogRecord[] {
    const { partitions = 0 } = storedTopic(this.#db, topic) ?? {};
    const records: LogRecord[] = [];
    for (let p = 0; p < partitions; p++) records.push(...this.partition(topic, p, fromOffset, limit));
    return records.sort(bySequence).slice(0, limit);
  }

  /** The last `limit` records of a topic in order of sequence. */
  lastRecords(topic: number, limit: number): LogRecord[] {
    const records: LogRecord[] = [];
    for (const [p, end] of (storedTopic(this.#db, topic)?.ends ?? []).entries()) {
      // where compaction has left gaps, further back
      for (let reach = limit; ; reach *= 4) {
        const found = this.partition(topic, p, Math.max(0, end - reach), reach);
        if (found.length < limit && reach < end) continue;
        records.push(...found);
        break;
      }
    }
    return records.sort(bySequence).slice(Math.max(0, records.length - limit));
  }

  close(): void {
    this.#segments.close();
    this.#cache.clear();
  }

  #upkeepChanged(upkeep: { readonly changes: number; readonly start: number }): void {
    this.#upkeep = upkeep;
    this.#floors = topicFloors(this.#db);
    this.#lowest = new Map([...this.#floors].map(([topic, { floor }]) => [topic, floor]));
    this.#highestFloor = Math.max(0, ...this.#lowest.values());
    this.#cache.clear();
    this.#segments.keepOnly(new Set(registeredSegments(this.#db).map(s => s.segment)));
  }

  /** A run of stored blocks from the one that holds `seq`, until it holds `records` records from there. */
  #run(seq: number, records: number, reuse: boolean): RecordBlock {
    const tail = lastUpTo(this.#db, TAIL, tailKey(seq));
    if (tail !== null && seq < endOfTailBlock(tail)) {
      const { bytes } = readTailRun(this.#db, {
        start: tail.key,
        until: seq + records,
        maxBytes: RUN_BYTES,
      });
      return this.#aboveFloors(blockOfRun(bytes, this.#names));
    }
    return this.#readSealed(seq, seq + records, reuse);
  }

  #aboveFloors(block: RecordBlock): RecordBlock {
    return block.firstSeq < this.#highestFloor ? aboveFloors(block, this.#lowest) : block;
  }

  /** The sealed blocks around [seq, until) that lie side by side. Upkeep may replace their file meanwhile. */
  #readSealed(seq: number, until: number, reuse: boolean): RecordBlock {
    for (let attempt = 1; ; attempt++) {
      const blocks = this.#sealedRun(seq, until);
      const first = blocks[0]!;
      const bytes = this.#segments.read(blocks, reuse);
      if (bytes !== null) {
        const block =
          first.kept < first.n
            ? readSparseBlock(bytes, this.#names)
            : blockOfRun(bytes, this.#names, reuse ? this.#columns : null);
        return this.#aboveFloors(block);
      }
      this.refresh();
      if (attempt === 3) throw damaged(blockDamageAt(first, 'the file is missing'));
    }
  }

  #sealedRun(seq: number, until: number): SealedBlock[] {
    const first = lastUpTo(this.#db, BLOCKS, blockKey(seq));
    const blocks: SealedBlock[] = [];
    let bytes = 0;
    for (const { key, value } of this.#db.getRange({ start: first?.key ?? BLOCKS, end: AFTER_BLOCKS })) {
      const block = sealedBlock(sequenceOf(key), value);
      const previous = blocks.at(-1);
      if (previous !== undefined) {
        const beside =
          block.segment === previous.segment && block.offset === previous.offset + previous.length;
        const dense = block.kept === block.n && previous.kept === previous.n;
        if (!beside || !dense || block.firstSeq >= until || bytes + block.length > RUN_BYTES) break;
      } else if (seq < block.firstSeq || seq >= block.firstSeq + block.n) break;
      blocks.push(block);
      bytes += block.length;
    }
    if (blocks.length === 0) throw lostRecord(seq);
    return blocks;
  }

  /**
   * The block of the tail that holds a sequence, or null. LMDB lends its bytes until the next call: they are not
   * copied, and what the caller wants of them it copies at once.
   */
  #tailBlock(seq: number): RecordBlock | null {
    for (const key of this.#db.getKeys({ start: tailKey(seq), end: TAIL, reverse: true, limit: 1 })) {
      const firstSeq = sequenceOf(key);
      const lent = this.#db.getBinaryFast(key);
      if (lent === undefined) return null;
      const view = new Uint8Array(lent.buffer, lent.byteOffset, lent.length);
      const bytes = view.byteOffset % 8 === 0 ? view : new Uint8Array(view);
      if (!this.#wholeTail.has(firstSeq)) {
        assertWholeTailBlock(this.#db, firstSeq, bytes);
        if (this.#wholeTail.size >= WHOLE_TAIL_BLOCKS) this.#wholeTail.clear();
        this.#wholeTail.add(firstSeq);
      }
      const block = blockOfRun(bytes, this.#names);
      return seq < block.firstSeq + block.n ? this.#aboveFloors(block) : null;
    }
    return null;
  }

  #block(seq: number): RecordBlock {
    const tail = lastUpTo(this.#db, TAIL, tailKey(seq));
    if (tail !== null && seq < endOfTailBlock(tail)) {
      const bytes = new Uint8Array(tail.value);
      assertWholeTailBlock(this.#db, sequenceOf(tail.key), bytes);
      return this.#aboveFloors(blockOfRun(bytes, this.#names));
    }
    const [block] = this.#sealedRun(seq, seq + 1);
    return this.#cached(block!.firstSeq) ?? this.#remember(this.#readSealed(seq, seq + 1, false));
  }

  #cached(firstSeq: number): RecordBlock | null {
    const block = this.#cache.get(firstSeq);
    if (block === undefined) return null;
    this.#cache.delete(firstSeq);
    this.#cache.set(firstSeq, block);
    return block;
  }

  #remember(block: RecordBlock): RecordBlock {
    this.#cache.set(block.firstSeq, block);
    if (this.#cache.size > CACHED_BLOCKS) {
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest);
        break;
      }
    }
    return block;
  }

  #span(seq: number): Span {
    const tail = lastUpTo(this.#db, TAIL, tailKey(seq));
    if (tail !== null && seq < endOfTailBlock(tail)) return spanOf(blockInfo(new Uint8Array(tail.value), 0));
    return spanOf(this.#sealedRun(seq, seq + 1)[0]!);
  }
}

function spanOf(block: Omit<Span, 'end'> & { readonly n: number }): Span {
  const { firstSeq, n, minAppendTime, maxAppendTime } = block;
  return { firstSeq, end: firstSeq + n, minAppendTime, maxAppendTime };
}

function endOfTailBlock(entry: { key: Uint8Array; value: Uint8Array }): number {
  return sequenceOf(entry.key) + new DataView(entry.value.buffer, entry.value.byteOffset).getInt32(12, true);
}

function bySequence(a: LogRecord, b: LogRecord): number {
  return a.seq - b.seq;
}

function lostRecord(seq: number): MillraceError {
  return new MillraceError('data_corrupt', `the log holds no record ${seq} although it should`, {
    hint: 'restore the data folder from a backup',
    data: { seq },
  });
}
