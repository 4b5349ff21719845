import type { Header, LogRecord } from '../../src/core/log-record.ts';
import type { Schema } from '../../src/core/schema.ts';
import type { SqlType } from '../../src/core/sql-type.ts';
import { BIGINT } from '../../src/core/sql-type.ts';
import { createRowDecoder, type RowDecoder, type Upcaster } from '../../src/decode/row-decoder.ts';
import type { FormatSpec, SourceColumn, SourceSpec } from '../../src/plan/plan.ts';

export const JSON_FORMAT: FormatSpec = { format: 'JSON', delimiter: ',', wrapSingle: true };
export const UNWRAPPED_JSON: FormatSpec = { ...JSON_FORMAT, wrapSingle: false };
export const KAFKA_FORMAT: FormatSpec = { ...JSON_FORMAT, format: 'KAFKA' };
export const CSV_FORMAT: FormatSpec = { ...JSON_FORMAT, format: 'DELIMITED' };

export function column(name: string, type: SqlType, from: SourceColumn['from'] = 'value'): SourceColumn {
  return { name, type, from, header: null };
}

export function source(over: Partial<SourceSpec>): SourceSpec {
  return {
    kind: 'stream',
    name: 'S',
    topic: 's',
    columns: [],
    keyFormat: KAFKA_FORMAT,
    valueFormat: JSON_FORMAT,
    timestamp: null,
    partitions: 1,
    window: null,
    description: '',
    ...over,
  };
}

export function decoderOf(
  over: Partial<SourceSpec>,
  extra: readonly string[] = [],
  upcast?: Upcaster,
): RowDecoder {
  const spec = source(over);
  const columns = [...spec.columns, ...extra.map(name => ({ name, type: BIGINT }))];
  const schema: Schema = { columns, key: [], windowed: spec.window !== null };
  const timestampParser = () => (text: string) => (text === '' ? null : Date.parse(text) || null);
  return createRowDecoder({ source: spec, schema, timestampParser, upcast });
}

export function record(value: string | Uint8Array | null, over: Partial<LogRecord> = {}): LogRecord {
  return {
    seq: 0,
    topic: 's',
    partition: 0,
    offset: 0,
    timestamp: 1000,
    appendTime: 1000,
    key: null,
    value: typeof value === 'string' ? bytes(value) : value,
    headers: [],
    ...over,
  };
}

export function header(name: string, value: string | null): Header {
  return { name, value: value === null ? null : bytes(value) };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
