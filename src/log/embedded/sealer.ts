import { faultPoint } from '../../core/fault-points.ts';
import type { RecordBlock } from '../../core/log-record.ts';
import { hearReason } from '../../kv/disk-room.ts';
import { blockOfRun, encodeBlock, storedBytes } from './block-layout.ts';
import { registerBlocks } from './block-registry.ts';
import type { LogDatabase } from './log-environment.ts';
import { sealedEnd } from './log-environment.ts';
import { offsetKey, TAIL, tailKey } from './log-keys.ts';
import { runStarts, sizedRuns } from './offset-runs.ts';
import type { SegmentWriter } from './segment-writer.ts';
import { readTailRun } from './tail-run.ts';

/** Sealed blocks have 64 to 256 KB; the last of an explicit pass may be smaller, one with a large record greater. */
const SMALLEST = 64 << 10;
const WANTED = 160 << 10;
/**
 * One step takes at most this much of the tail, so that the event loop and the commits of appends are held up for a few
 * milliseconds only. So many blocks of one record each still make one whole sealed block.
 */
const STEP_BYTES = 1 << 20;
const STEP_BLOCKS = 1024;

/**
 * Rewrites the tail into blocks of segment files: the blocks are on disk before one transaction registers them and
 * deletes their records from the tail. A crash before that transaction leaves the tail as it was.
 */
export class Sealer {
  readonly #db: LogDatabase;
  readonly #writer: SegmentWriter;
  #sealedEnd: number;
  /** the end of the log when a pass failed: the next one waits for as many records as ever */
  #failedAt = 0;
  #pass: Promise<void> | null = null;
  #closing = false;

  constructor(db: LogDatabase, writer: SegmentWriter) {
    this.#db = db;
    this.#writer = writer;
    this.#sealedEnd = sealedEnd(db);
  }

  /** sequence after the last sealed record */
  get sealedEnd(): number {
    return this.#sealedEnd;
  }

  /** Whether so many records came since the last pass, or since the one that failed. */
  due(end: number, after: number): boolean {
    return this.#pass === null && end - Math.max(this.#sealedEnd, this.#failedAt) >= after;
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
  }

  async #run(end: number, whole: boolean): Promise<void> {
    try {
      while (this.#sealedEnd < end && !this.#closing) {
        const step = this.#nextStep(end);
        if (whole && step.bytes.length < SMALLEST) return;
        await this.#sealStep(step);
      }
    } catch (error) {
      hearReason(error);
      // a commit that was reported as failed may be there all the same
      this.#db.resetReadTxn();
      this.#sealedEnd = sealedEnd(this.#db);
      this.#failedAt = end;
      await this.#writer.turn.take(() => this.#writer.restart());
      throw error;
    }
  }

  /** Whole blocks of the tail that follow each other, from the first. */
  #nextStep(end: number): TailStep {
    this.#db.resetReadTxn();
    const { bytes, starts } = readTailRun(this.#db, {
      start: TAIL,
      until: end,
      maxBytes: STEP_BYTES,
      maxBlocks: STEP_BLOCKS,
    });
    return { bytes, block: blockOfRun(bytes, []), starts };
  }

  async #sealStep({ block, starts }: TailStep): Promise<void> {
    const blocks = cut(block).map(({ from, to }) => ({
      bytes: encodeBlock(block, from, to),
      runs: sizedRuns([{ block, kept: indexes(from, to) }]),
    }));
    const last = block.firstSeq + block.n;
    await this.#writer.turn.take(async () => {
      const written = await this.#writer.write(blocks.map(b => b.bytes));
      const db = this.#db;
      faultPoint('log.segment.register');
      await db.batch(() => {
        for (const [k, seq] of starts.entries()) {
          void db.remove(tailKey(seq));
          const to = (starts[k + 1] ?? last) - block.firstSeq;
          for (const s of runStarts(block, seq - block.firstSeq, to)) {
            void db.remove(offsetKey(s.topic, s.partition, s.offset));
          }
        }
        registerBlocks(db, blocks, written);
      });
      faultPoint('log.segment.registered');
      this.#writer.advance(written.end);
    });
    this.#sealedEnd = last;
  }
}

function indexes(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
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
