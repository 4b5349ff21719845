import { assert } from '../../core/assert.ts';
import type { Batch, Bits } from '../../core/batch.ts';
import { bitAt } from '../../core/bits.ts';
import { Op } from '../../core/change.ts';
import type { RecordBlock } from '../../core/log-record.ts';
import {
  type BlockDecoder,
  createBlockDecoder,
  type DecodedBlock,
} from '../../decode/columns/block-decoder.ts';
import { timestampParsers } from '../../decode/timestamp-format.ts';
import type { ScanNode } from '../../plan/plan.ts';
import type { DataflowOptions, LedgerReason } from '../dataflow.ts';

interface Scan {
  readonly topic: string;
  readonly decoder: BlockDecoder;
  decoded: DecodedBlock | null;
  batch: Batch | null;
}

export type Reject = (reason: LedgerReason, seq: number, message: string) => void;

/**
 * Decodes the records of a block once for all scans of the same source and columns, however many views have them. One
 * record is one change: ADD of a stream, UPSERT of a table, DELETE for a table's record without value.
 */
export class SourceScans {
  readonly #options: DataflowOptions;
  readonly #timestampParser: ReturnType<typeof timestampParsers>;
  readonly #scans = new Map<string, Scan>();
  readonly #records = new Map<string, { indices: Int32Array; count: number }>();
  #block: RecordBlock | null = null;

  constructor(options: DataflowOptions) {
    this.#options = options;
    this.#timestampParser = timestampParsers(options.zone);
  }

  /** The changes of a scan in the current block, or null when there are none. */
  add(node: ScanNode): (reject: Reject) => Batch | null {
    const { source, schema } = node;
    const id = JSON.stringify([source, schema]);
    let scan = this.#scans.get(id);
    if (scan === undefined) {
      const decoder = createBlockDecoder({
        source,
        schema,
        timestampParser: this.#timestampParser,
        upcast: this.#options.upcasters?.get(source.topic),
      });
      scan = { topic: source.topic, decoder, decoded: null, batch: null };
      this.#scans.set(id, scan);
      this.#records.set(source.topic, { indices: new Int32Array(0), count: 0 });
    }
    const shared = scan;
    return reject => this.#changes(node, shared, reject);
  }

  begin(block: RecordBlock): void {
    this.#block = block;
    for (const scan of this.#scans.values()) {
      scan.decoded = null;
      scan.batch = null;
    }
    const byTopic = block.topics.map(topic => this.#records.get(topic));
    for (const records of this.#records.values()) {
      records.count = 0;
      if (records.indices.length < block.n) records.indices = new Int32Array(block.n);
    }
    for (let i = 0; i < block.n; i++) {
      const records = byTopic[block.topic[i] as number];
      if (records !== undefined) records.indices[records.count++] = i;
    }
  }

  #changes(node: ScanNode, scan: Scan, reject: Reject): Batch | null {
    const block = this.#block;
    const records = this.#records.get(scan.topic);
    assert(block !== null && records !== undefined, 'no block to scan');
    if (records.count === 0) return null;
    if (scan.decoded === null) {
      scan.decoded = scan.decoder.decode(block, records.indices, records.count);
      scan.batch = scan.decoded.n === 0 ? null : batchOf(node, block, scan.decoded);
    }
    for (const failure of scan.decoded.failures) {
      reject(failure.reason, block.firstSeq + failure.record, failure.message);
    }
    return scan.batch;
  }
}

function batchOf(node: ScanNode, block: RecordBlock, decoded: DecodedBlock): Batch {
  const { n, cols, record, rowtime, noValue } = decoded;
  const seq = new Float64Array(n);
  for (let r = 0; r < n; r++) seq[r] = block.firstSeq + (record[r] as number);
  const stream = node.source.kind === 'stream';
  return {
    schema: node.schema,
    n,
    cols,
    seq,
    rowtime,
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
