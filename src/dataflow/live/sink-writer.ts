import type { Batch } from '../../core/batch.ts';
import { bitAt } from '../../core/bits.ts';
import { Op } from '../../core/change.ts';
import type { RecordBlock } from '../../core/log-record.ts';
import { rowAt, selectedRows } from '../../core/vec.ts';
import type { RecordEncoder } from '../../decode/record-encoder.ts';

/** A record of a derived topic, with the sequence that caused it: written once by (sequence, index). */
export interface SinkRecord {
  readonly seq: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
}

/** Turns the changes of a view that has a topic into the topic's records, in order. */
export class SinkWriter {
  readonly #encode: RecordEncoder;
  readonly #entered: string | null;

  /** `entered`: the topic, where records from outside enter the view by it: they are in it already. */
  constructor(encode: RecordEncoder, entered: string | null = null) {
    this.#encode = encode;
    this.#entered = entered;
  }

  /** What the changes of a block write. */
  records(batches: readonly Batch[], block: RecordBlock): SinkRecord[] {
    const records: SinkRecord[] = [];
    const entered = this.#entered === null ? -1 : block.topics.indexOf(this.#entered);
    for (const batch of batches) {
      for (const i of selectedRows(batch)) {
        const seq = batch.seq[i] as number;
        if (entered >= 0 && block.topic[seq - block.firstSeq] === entered) continue;
        const record = this.#encode({
          op: (batch.op?.[i] ?? Op.ADD) as Op,
          seq,
          rowtime: batch.rowtime[i] as number,
          row: rowAt(batch, i),
          noValue: bitAt(batch.noValue, i),
        });
        if (record !== null) records.push({ seq, ...record });
      }
    }
    return records;
  }
}
