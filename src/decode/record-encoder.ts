import type { Change } from '../core/change.ts';
import { Op } from '../core/change.ts';
import type { Schema } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { SinkSpec } from '../plan/plan.ts';
import { columnsWriter } from './columns-writer.ts';
import { joinWindowedKey } from './windowed-key.ts';

export interface EncodedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** event time, ms */
  readonly timestamp: number;
}

export type RecordEncoder = (change: Change) => EncodedRecord;

export interface RecordEncoderOptions {
  /**
   * The key was read from records and not computed: then NULL in all its columns is a record without key, not a key of
   * NULLs.
   */
  readonly keyReadAsIs?: boolean | undefined;
}

/**
 * Rows to the records of a sink topic: key columns in the key, the others in the value; WINDOWSTART and WINDOWEND, the
 * last two key columns of a windowed sink, in the key's window. The event time is the change's (the dataflow has put the
 * sink's timestamp column there). A DELETE and a RETRACT are tombstones.
 */
export function createRecordEncoder(
  sink: SinkSpec,
  schema: Schema,
  options: RecordEncoderOptions = {},
): RecordEncoder {
  const window = sink.window?.type ?? null;
  const windowColumns = window !== null && schema.windowed ? schema.key.slice(-2) : [];
  const keyIndexes = schema.key.filter(i => !windowColumns.includes(i));
  const valueIndexes = schema.columns
    .keys()
    .filter(i => !schema.key.includes(i))
    .toArray();
  const columns = (indexes: readonly number[]) => indexes.flatMap(i => schema.columns[i] ?? []);
  const pick = (row: Row, indexes: readonly number[]) => indexes.map(i => row[i] ?? null);

  const writeKey = columnsWriter({
    columns: columns(keyIndexes),
    format: sink.keyFormat,
    unwrapped: keyIndexes.length === 1,
  });
  const writeValue = columnsWriter({
    columns: columns(valueIndexes),
    format: sink.valueFormat,
    unwrapped: valueIndexes.length === 1 && !sink.valueFormat.wrapSingle,
  });

  return change => {
    const deleted = change.op === Op.DELETE || change.op === Op.RETRACT;
    const noValue = deleted || change.noValue;
    const keyRow = pick(change.row, keyIndexes);
    const noKey = options.keyReadAsIs === true && keyRow.every(v => v === null);
    const plainKey = keyIndexes.length === 0 || noKey ? null : writeKey(keyRow);
    const [start, end] = pick(change.row, windowColumns);
    return {
      key:
        window !== null && windowColumns.length === 2
          ? joinWindowedKey(plainKey, window, { start: Number(start), end: Number(end) })
          : plainKey,
      value: noValue ? null : writeValue(pick(change.row, valueIndexes)),
      timestamp: change.rowtime,
    };
  };
}
