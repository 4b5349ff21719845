import { MillraceError } from '../../core/errors.ts';
import { faultPoint } from '../../core/fault-points.ts';
import type { RecordBlock } from '../../core/log-record.ts';
import { blockDamage, blockInfo, blockOfRun, encodeBlock, storedBytes } from './block-layout.ts';
import type { LogDatabase } from './log-environment.ts';
import { sealedEnd } from './log-environment.ts';
import {
  afterPrefix,
  blockKey,
  numbers,
  offsetKey,
  segmentKey,
  sequenceOf,
  TAIL,
  tailKey,
} from './log-keys.ts';
import { runStarts } from './offset-runs.ts';
import { SegmentWriter } from './segment-files.ts';

/** Sealed blocks have 64 to 256 KB; the last of an explicit pass may be smaller, one with a large record greater. */
const SMALLEST = 64 << 10;
const WANTED = 160 << 10;
/** One step takes at most this much of the tail, so that the event loop is held for a few milliseconds only. */
const STEP_BYTES = 1 << 20;
const STEP_BLOCKS = 256;

/**
 * Rewrites the tail into blocks of segment files: the blocks are on disk before one transaction registers them and
 * deletes their records from the tail. A crash before that transaction leaves the tail as it was.
 */
export class Sealer {
  readonly #db: LogDatabase;
  readonly #writer: SegmentWriter;
  #sealedEnd: number;
  #pass: Promise<void> | null = null;
  #closing = false;

  constructor(db: LogDatabase, dir: string) {
    this.#db = db;
    this.#writer = new SegmentWriter(db, dir);
    this.#sealedEnd = sealedEnd(db);
  }

  /** sequence after the last sealed record */
  get sealedEnd(): number {
    return this.#sealedEnd;
  }

  get busy(): boolean {
    return this.#pass !== null;
  }

  /** Seals what lies before `end`; `whole`: a rest too small for a block stays in the tail. */
  async seal(end: number, whole: boolean): Promise<void> {
    while (this.#pass !== null) await this.#pass;
    this.#pass = this.#run(end, whole).finally(() => {
      this.#pass = null;
    });
    await this.#pass;
  }

  /** Ends the pass under way after its present step. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#pass?.catch(() => {});
    await this.#writer.close();
  }

  async #run(end: number, whole: boolean): Promise<void> {
    try {
      while (this.#sealedEnd < end && !this.#closing) {
        const step = this.#nextStep(end);
        if (whole && step.bytes.length < SMALLEST) return;
        await this.#sealStep(step);
      }
    } catch (error) {
      // a commit that was reported as failed may be there all the same
      this.#db.resetReadTxn();
      this.#sealedEnd = sealedEnd(this.#db);
      await this.#writer.restart();
      throw error;
    }
  }

  /** Whole blocks of the tail that follow each other, from the first. */
  #nextStep(end: number): TailStep {
    const parts: Buffer[] = [];
    let bytes = 0;
    this.#db.resetReadTxn();
    for (const { key, value } of this.#db.getRange({ start: TAIL, end: afterPrefix(TAIL) })) {
      const seq = sequenceOf(key);
      if (seq >= end || parts.length === STEP_BLOCKS || (bytes > 0 && bytes + value.length > STEP_BYTES))
        break;
      parts.push(Buffer.from(value));
      bytes += value.length;
    }
    const run = new Uint8Array(bytes);
    let at = 0;
    for (const part of parts) {
      run.set(part, at);
      at += part.length;
    }
    const starts: number[] = [];
    for (at = 0; at < run.length; at += blockInfo(run, at).length) {
      const damage = blockDamage(run, at);
      if (damage !== null) {
        throw new MillraceError(
          'data_corrupt',
          `the log's index "index.lmdb" holds a damaged block: ${damage}`,
          {
            hint: 'restore the data folder from a backup',
            data: { seq: starts.at(-1) ?? this.#sealedEnd },
          },
        );
      }
      starts.push(blockInfo(run, at).firstSeq);
    }
    return { bytes: run, block: blockOfRun(run, []), starts };
  }

  async #sealStep({ block, starts }: TailStep): Promise<void> {
    const encoded = cut(block).map(({ from, to }) => ({ from, to, bytes: encodeBlock(block, from, to) }));
    const { segment, offset, end } = await this.#writer.write(encoded.map(e => e.bytes));
    const db = this.#db;
    const last = block.firstSeq + block.n;
    faultPoint('log.segment.register');
    await db.batch(() => {
      for (const [k, seq] of starts.entries()) {
        void db.remove(tailKey(seq));
        const to = (starts[k + 1] ?? last) - block.firstSeq;
        for (const s of runStarts(block, seq - block.firstSeq, to)) {
          void db.remove(offsetKey(s.topic, s.partition, s.offset));
        }
      }
      let at = offset;
      for (const { from, to, bytes } of encoded) {
        const i = blockInfo(bytes, 0);
        const times = [i.minTimestamp, i.maxTimestamp, i.minAppendTime, i.maxAppendTime];
        void db.put(blockKey(i.firstSeq), numbers(segment, at, i.length, i.n, ...times));
        for (const s of runStarts(block, from, to)) {
          void db.put(offsetKey(s.topic, s.partition, s.offset), numbers(i.firstSeq));
        }
        at += i.length;
      }
      void db.put(segmentKey(segment), numbers(end));
    });
    faultPoint('log.segment.registered');
    this.#writer.advance(end);
    this.#sealedEnd = last;
  }
}

interface TailStep {
  readonly bytes: Uint8Array;
  readonly block: RecordBlock;
  /** first sequences of the tail's blocks */
  readonly starts: readonly number[];
}

/** Cuts records into parts of about equal size, none far from the wanted one. */
function cut(block: RecordBlock): { from: number; to: number }[] {
  let total = 0;
  for (let i = 0; i < block.n; i++) total += storedBytes(block, i);
  const parts = Math.max(1, Math.round(total / WANTED));
  const wanted = total / parts;
  const cuts: { from: number; to: number }[] = [];
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < block.n; i++) {
    const size = storedBytes(block, i);
    if (i > from && bytes + size > wanted && cuts.length < parts - 1) {
      cuts.push({ from, to: i });
      from = i;
      bytes = 0;
    }
    bytes += size;
  }
  cuts.push({ from, to: block.n });
  return cuts;
}
