import { assert } from '../../core/assert.ts';
import type { Batch, Bits, Vec } from '../../core/batch.ts';
import { bitAt } from '../../core/bits.ts';
import { Op } from '../../core/change.ts';
import { ColumnMemory } from '../../core/column-memory.ts';
import { type RecordBlock, recordAt, recordsOfTopic, WRITTEN_BY } from '../../core/log-record.ts';
import type { Column, Schema } from '../../core/schema.ts';
import {
  type BlockDecoder,
  type BlockFailure,
  createBlockDecoder,
  type DecodedBlock,
} from '../../decode/columns/block-decoder.ts';
import { canShare } from '../../decode/columns/shared-rows.ts';
import { createRowDecoder, type RowDecoder, type RowDecoderOptions } from '../../decode/row-decoder.ts';
import { timestampParsers } from '../../decode/timestamp-format.ts';
import type { ScanNode, SourceSpec } from '../../plan/plan.ts';
import type { DataflowOptions, DecodeOrder, LedgerReason } from '../dataflow.ts';

/** One source with all columns that any scan of it needs. */
interface SharedSource {
  readonly spec: SourceSpec;
  readonly scans: Scan[];
  columns: Column[];
  decoder: BlockDecoder | null;
  decoded: DecodedBlock | null;
}

/** The indices of a topic's records in a block. */
interface TopicRecords {
  indices: Int32Array;
  count: number;
  /** null: of none yet */
  block: RecordBlock | null;
}

/** The scans of the same columns of a source. */
interface Scan {
  readonly schema: Schema;
  /** memory of the sequences */
  readonly seq: ColumnMemory;
  decodeRow: RowDecoder | null;
  decodeBlock: BlockDecoder | null;
  changes: { readonly batch: Batch | null; readonly failures: readonly BlockFailure[] } | null;
}

export type Reject = (reason: LedgerReason, seq: number, message: string) => void;

/**
 * Decodes the records of a block once for all scans of a source, however many views have them and whichever columns they
 * need. A record that is undecodable for one scan may be fine for another that needs less: then that scan decodes the
 * block on its own. One record is one change: ADD of a stream, UPSERT of a table, DELETE for a table's record without
 * value.
 */
export class SourceScans {
  readonly #options: DataflowOptions;
  readonly #timestampParser: ReturnType<typeof timestampParsers>;
  readonly #sources = new Map<string, SharedSource>();
  readonly #records = new Map<string, TopicRecords>();
  #block: RecordBlock | null = null;
  /** what blocks may have beside them */
  #ordered: SharedSource | null = null;

  constructor(options: DataflowOptions) {
    this.#options = options;
    this.#timestampParser = timestampParsers(options.zone);
  }

  /** The changes of a scan in the current block, or null when there are none. */
  add(node: ScanNode): (reject: Reject) => Batch | null {
    const { source: spec, schema } = node;
    const id = JSON.stringify(spec);
    let source = this.#sources.get(id);
    if (source === undefined) {
      source = { spec, scans: [], columns: [], decoder: null, decoded: null };
      this.#sources.set(id, source);
      this.#records.set(spec.topic, { indices: new Int32Array(0), count: 0, block: null });
    }
    const names = new Set(source.columns.map(c => c.name));
    source.columns.push(...schema.columns.filter(c => !names.has(c.name)));
    source.decoder = null;
    const same = JSON.stringify(schema);
    let scan = source.scans.find(s => JSON.stringify(s.schema) === same);
    if (scan === undefined) {
      scan = { schema, seq: new ColumnMemory(), decodeRow: null, decodeBlock: null, changes: null };
      source.scans.push(scan);
    }
    const shared = source;
    const own = scan;
    if (node.outside !== true) return reject => this.#changes(shared, own, reject);
    return reject => {
      const ours = writtenByViews(this.#block);
      const fromOutside: Reject = (reason, seq, message) => {
        if (!ours(seq)) reject(reason, seq, message);
      };
      const batch = this.#changes(shared, own, fromOutside);
      return batch === null ? null : without(batch, ours);
    };
  }

  begin(block: RecordBlock): void {
    this.#block = block;
    for (const source of this.#sources.values()) {
      source.decoded = null;
      for (const scan of source.scans) scan.changes = null;
    }
  }

  /** What another thread may decode; from then on it is taken from blocks that have it beside them. */
  order(): DecodeOrder | null {
    const [source, ...others] = this.#sources.values();
    if (source === undefined || others.length > 0 || !canShare(source.columns)) return null;
    // upcasters are functions of this thread
    if (this.#options.upcasters?.has(source.spec.topic) === true) return null;
    this.#ordered = source;
    return { source: source.spec, columns: source.columns, zone: this.#options.zone };
  }

  /** The records of a topic in the block. */
  #recordsOf(topic: string, block: RecordBlock): TopicRecords {
    const records = this.#records.get(topic);
    assert(records !== undefined, 'no such source');
    if (records.block === block) return records;
    if (records.indices.length < block.n) records.indices = new Int32Array(block.n);
    records.count = recordsOfTopic(block, topic, records.indices);
    records.block = block;
    return records;
  }

  #changes(source: SharedSource, scan: Scan, reject: Reject): Batch | null {
    const block = this.#block;
    assert(block !== null, 'no block to scan');
    const isDecoded = source === this.#ordered && block.beside !== undefined;
    if (!isDecoded && this.#recordsOf(source.spec.topic, block).count === 0) return null;
    if (scan.changes === null) {
      const { cols, decoded, failures } = this.#decode(source, scan, block);
      scan.changes = { batch: batchOf(source.spec, scan.schema, block, decoded, cols, scan.seq), failures };
    }
    const { batch, failures } = scan.changes;
    for (const failure of failures) reject(failure.reason, block.firstSeq + failure.record, failure.message);
    return batch;
  }

  #decode(
    source: SharedSource,
    scan: Scan,
    block: RecordBlock,
  ): {
    readonly cols: readonly Vec[];
    readonly decoded: DecodedBlock;
    readonly failures: readonly BlockFailure[];
  } {
    const all: Schema = { columns: source.columns, key: [], windowed: false };
    source.decoder ??= createBlockDecoder(this.#decoderOptions(source.spec, all));
    if (source.decoded === null && source === this.#ordered && block.beside !== undefined) {
      source.decoded = source.decoder.take(block, block.beside);
    } else if (source.decoded === null) {
      const { indices, count } = this.#recordsOf(source.spec.topic, block);
      source.decoded = source.decoder.decode(block, indices, count);
    }
    const { decoded } = source;
    const failures = source.scans.length === 1 ? decoded.failures : this.#ownFailures(source, scan, block);
    if (failures === null) {
      scan.decodeBlock ??= createBlockDecoder(this.#decoderOptions(source.spec, scan.schema));
      const { indices, count } = this.#recordsOf(source.spec.topic, block);
      const own = scan.decodeBlock.decode(block, indices, count);
      return { cols: own.cols, decoded: own, failures: own.failures };
    }
    const at = (column: Column): number => source.columns.findIndex(c => c.name === column.name);
    return { cols: scan.schema.columns.map(c => decoded.cols[at(c)] as Vec), decoded, failures };
  }

  /** The failures as the scan's own columns have them, or null when one of the records is none to it. */
  #ownFailures(source: SharedSource, scan: Scan, block: RecordBlock): readonly BlockFailure[] | null {
    const failures: BlockFailure[] = [];
    for (const { record } of source.decoded?.failures ?? []) {
      scan.decodeRow ??= createRowDecoder(this.#decoderOptions(source.spec, scan.schema));
      const row = scan.decodeRow(recordAt(block, record));
      if (row.ok) return null;
      failures.push({ record, reason: row.reason, message: row.message });
    }
    return failures;
  }

  #decoderOptions(source: SourceSpec, schema: Schema): RowDecoderOptions {
    return {
      source,
      schema,
      timestampParser: this.#timestampParser,
      upcast: this.#options.upcasters?.get(source.topic),
    };
  }
}

/** Tells the sequences of records that a view wrote. */
function writtenByViews(block: RecordBlock | null): (seq: number) => boolean {
  const headers = block?.headers ?? null;
  if (block === null || headers === null) return () => false;
  return seq => headers[seq - block.firstSeq]?.some(h => h.name === WRITTEN_BY) === true;
}

function without(batch: Batch, dropped: (seq: number) => boolean): Batch {
  const kept = Int32Array.from(batch.seq.keys()).filter(i => !dropped(batch.seq[i] as number));
  return kept.length === batch.n ? batch : { ...batch, sel: kept };
}

function batchOf(
  source: SourceSpec,
  schema: Schema,
  block: RecordBlock,
  { n, record, rowtime, noValue }: DecodedBlock,
  cols: readonly Vec[],
  memory: ColumnMemory,
): Batch | null {
  if (n === 0) return null;
  const seq = memory.f64(n).subarray(0, n);
  for (let r = 0; r < n; r++) seq[r] = block.firstSeq + (record[r] as number);
  const stream = source.kind === 'stream';
  return {
    schema,
    n,
    cols,
    seq,
    rowtime: rowtime.subarray(0, n),
    op: stream ? null : tableOps(n, noValue),
    noValue: stream ? noValue : null,
    sel: null,
  };
}

function tableOps(n: number, noValue: Bits | null): Int8Array {
  const op = new Int8Array(n).fill(Op.UPSERT);
  if (noValue !== null) for (let r = 0; r < n; r++) if (bitAt(noValue, r)) op[r] = Op.DELETE;
  return op;
}
