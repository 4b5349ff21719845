import { faultPoint } from '../../core/fault-points.ts';
import type { RecordBlock } from '../../core/log-record.ts';
import type { NewBlock } from './block-registry.ts';
import { forgetBlock, registerBlocks } from './block-registry.ts';
import { isGap } from './gaps.ts';
import type { LogDatabase, SealedBlock } from './log-environment.ts';
import { recordKey } from './log-keys.ts';
import { runStarts, sizedRuns } from './offset-runs.ts';
import { Pace } from './pace.ts';
import type { SegmentWriter } from './segment-writer.ts';
import type { KeptPart } from './sparse-block.ts';
import { encodeSparseBlock } from './sparse-block.ts';
import { putUpkeepState, upkeepState } from './upkeep-state.ts';

/** A block grows to about this many bytes of kept records, and to this many sequences: what one epoch of a replay takes. */
const WANTED = 96 << 10;
const MOST_SEQUENCES = 16_384;
/** One transaction swaps at most about this much, so that it holds up the commits of appends for milliseconds only. */
const STEP_BYTES = 1 << 20;
const STEP_BLOCKS = 128;
const KEYS_PER_TRANSACTION = 1000;

export interface RewriterPorts {
  readonly db: LogDatabase;
  readonly writer: SegmentWriter;
  /** the whole block as stored */
  readonly read: (block: SealedBlock) => { readonly bytes: Uint8Array; readonly block: RecordBlock };
  /** topics (by id) with an index by key */
  readonly indexed: ReadonlySet<number>;
  /** throws when the disk has no room for a transaction of the index */
  readonly assertRoom: () => void;
  /** after these blocks were replaced */
  readonly onReplaced: (blocks: readonly SealedBlock[]) => Promise<void>;
}

/** Does a record stay? Ticks and gaps are not asked for. */
export type Keep = (block: RecordBlock, i: number) => boolean;

interface Replaced extends KeptPart {
  readonly stored: SealedBlock;
  readonly bytes: Uint8Array;
}

interface DroppedKey {
  readonly topic: number;
  readonly key: Uint8Array;
  readonly seq: number;
}

/**
 * Writes sealed blocks anew without the records that go. The new blocks are on disk before one transaction puts them in
 * the place of the old ones; before it their index entries by key go, so that a crash leaves none that point nowhere.
 * What is dropped is gone from the old block's place only after that transaction: a crash leaves the one or the other.
 */
export class BlockRewriter {
  readonly #ports: RewriterPorts;
  readonly #keep: Keep;
  readonly #pace = new Pace();
  /** parts of the block being collected */
  #parts: Replaced[] = [];
  #partsBytes = 0;
  /** ready for the next transaction */
  #replaced: Replaced[] = [];
  #ready: NewBlock[] = [];
  #readyBytes = 0;
  #dropped: DroppedKey[] = [];
  /** the log's start after the next transaction */
  #start: number;

  constructor(ports: RewriterPorts, keep: Keep) {
    this.#ports = ports;
    this.#keep = keep;
    ports.db.resetReadTxn();
    this.#start = upkeepState(ports.db).start;
  }

  /** Blocks come in order of sequence. `all`: also those that lose nothing, to empty their segment. */
  async add(stored: SealedBlock, all: boolean): Promise<void> {
    const { bytes, block } = this.#ports.read(stored);
    const kept = this.#kept(block);
    if (kept.length === stored.kept && !all) return;
    const part = { stored, bytes, block, kept };
    if (kept.length === 0 && this.#parts.length === 0 && stored.firstSeq === this.#start) {
      // nothing before it is left either: the log begins behind it
      this.#start = stored.firstSeq + stored.n;
      this.#replaced.push(part);
    } else {
      this.#collect(part);
    }
    if (this.#readyBytes >= STEP_BYTES || this.#replaced.length >= STEP_BLOCKS) await this.#swap();
    await this.#pace.rest();
  }

  async finish(): Promise<void> {
    this.#flush();
    await this.#swap();
  }

  #kept(block: RecordBlock): number[] {
    const kept: number[] = [];
    for (let i = 0; i < block.n; i++) {
      // a tick says nothing that a gap does not
      if (block.topic[i] === 0 || isGap(block, i)) continue;
      if (this.#keep(block, i)) kept.push(i);
      else if (this.#ports.indexed.has(block.topic[i]!) && block.keyStart[i]! >= 0) {
        const key = block.bytes.slice(block.keyStart[i], block.keyEnd[i]);
        this.#dropped.push({ topic: block.topic[i]!, key, seq: block.firstSeq + i });
      }
    }
    return kept;
  }

  #collect(part: Replaced): void {
    const last = this.#parts.at(-1);
    const beside = last !== undefined && last.block.firstSeq + last.block.n === part.block.firstSeq;
    const first = this.#parts[0]?.block.firstSeq ?? part.block.firstSeq;
    const sequences = part.block.firstSeq + part.block.n - first;
    const whole = part.kept.length === part.block.n;
    if (!beside || whole || sequences > MOST_SEQUENCES) this.#flush();
    this.#parts.push(part);
    this.#partsBytes += sizedRuns([part]).reduce((sum, run) => sum + run.bytes, 0);
    if (whole || this.#partsBytes >= WANTED) this.#flush();
  }

  #flush(): void {
    const parts = this.#parts;
    const [only] = parts;
    if (only === undefined) return;
    const whole = parts.length === 1 && only.kept.length === only.block.n;
    const bytes = whole ? only.bytes : encodeSparseBlock(parts);
    this.#ready.push({ bytes, runs: sizedRuns(parts) });
    this.#readyBytes += bytes.length;
    this.#replaced.push(...parts);
    this.#parts = [];
    this.#partsBytes = 0;
  }

  async #swap(): Promise<void> {
    if (this.#replaced.length === 0) return;
    await this.#dropKeys();
    const { db, writer, assertRoom, onReplaced } = this.#ports;
    assertRoom();
    const ready = this.#ready;
    const replaced = this.#replaced;
    await writer.turn.take(async () => {
      const written = ready.length === 0 ? null : await writer.write(ready.map(b => b.bytes));
      faultPoint('upkeep.swap');
      await db.batch(() => {
        for (const { stored, block } of replaced) forgetBlock(db, stored, runStarts(block));
        if (written !== null) registerBlocks(db, ready, written);
        putUpkeepState(db, { changes: upkeepState(db).changes + 1, start: this.#start });
      });
      faultPoint('upkeep.swapped');
      if (written !== null) writer.advance(written.end);
    });
    this.#ready = [];
    this.#readyBytes = 0;
    this.#replaced = [];
    await onReplaced(replaced.map(r => r.stored));
  }

  async #dropKeys(): Promise<void> {
    const { db, assertRoom } = this.#ports;
    while (this.#dropped.length > 0) {
      assertRoom();
      const some = this.#dropped.splice(0, KEYS_PER_TRANSACTION);
      faultPoint('upkeep.keys');
      await db.batch(() => {
        for (const { topic, key, seq } of some) void db.remove(recordKey(topic, key, seq));
      });
    }
  }
}
