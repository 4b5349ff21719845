import type { Batch } from '../../core/batch.ts';
import { bitAt } from '../../core/bits.ts';
import { Op } from '../../core/change.ts';
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

  constructor(encode: RecordEncoder) {
    this.#encode = encode;
  }

  records(batches: readonly Batch[]): SinkRecord[] {
    const records: SinkRecord[] = [];
    for (const batch of batches) {
      for (const i of selectedRows(batch)) {
        const seq = batch.seq[i] as number;
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
