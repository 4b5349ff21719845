import type { Change } from '../core/change.ts';
import { Op } from '../core/change.ts';
import type { Schema } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { SinkSpec } from '../plan/plan.ts';
import { columnsWriter } from './columns-writer.ts';
import { joinWindowedKey, type WindowKind } from './windowed-key.ts';

export interface EncodedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** event time, ms */
  readonly timestamp: number;
}

/** Null: the change is not written (its timestamp column holds no time). */
export type RecordEncoder = (change: Change) => EncodedRecord | null;

export interface RecordEncoderOptions {
  readonly sink: SinkSpec;
  readonly schema: Schema;
  /** the kind of the windows in a windowed schema's key: decides how the key is written */
  readonly window: WindowKind | null;
  /** reads a STRING timestamp column by its declared format; null when the text does not fit it */
  readonly timestampParser: (format: string) => (text: string) => number | null;
}

/**
 * Rows to the records of a sink topic: key columns in the key, the others in the value; WINDOWSTART and WINDOWEND, the
 * last two key columns of a windowed schema, in the key's window. A DELETE and a RETRACT are tombstones.
 */
export function createRecordEncoder({
  sink,
  schema,
  window,
  timestampParser,
}: RecordEncoderOptions): RecordEncoder {
  const windowColumns = schema.windowed ? schema.key.slice(-2) : [];
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
  const timeOf = timestampReader(sink, schema, timestampParser);

  return change => {
    const deleted = change.op === Op.DELETE || change.op === Op.RETRACT;
    const noValue = deleted || change.noValue;
    const timestamp = noValue ? change.rowtime : timeOf(change);
    if (timestamp === null) return null;
    const plainKey = keyIndexes.length === 0 ? null : writeKey(pick(change.row, keyIndexes));
    const [start, end] = pick(change.row, windowColumns);
    return {
      key:
        window !== null && windowColumns.length === 2
          ? joinWindowedKey(plainKey, window, { start: Number(start), end: Number(end) })
          : plainKey,
      value: noValue ? null : writeValue(pick(change.row, valueIndexes)),
      timestamp,
    };
  };
}

function timestampReader(
  sink: SinkSpec,
  schema: Schema,
  timestampParser: RecordEncoderOptions['timestampParser'],
): (change: Change) => number | null {
  const declared = sink.timestamp;
  if (declared === null) return change => change.rowtime;
  const index = schema.columns.findIndex(c => c.name === declared.column);
  const parse = declared.format === null ? null : timestampParser(declared.format);
  return change => {
    const value = change.row[index] ?? null;
    const time =
      typeof value === 'number' || typeof value === 'bigint'
        ? Number(value)
        : typeof value === 'string' && parse !== null
          ? parse(value)
          : null;
    return time !== null && time >= 0 ? time : null;
  };
}
