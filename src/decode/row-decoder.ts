import { assert } from '../core/assert.ts';
import { isEventTime } from '../core/event-time.ts';
import type { Header, LogRecord } from '../core/log-record.ts';
import type { Column, Schema } from '../core/schema.ts';
import type { Row, Value } from '../core/value.ts';
import type { SourceColumn, SourceSpec } from '../plan/plan.ts';
import { type ColumnsReader, columnsReader } from './columns-reader.ts';
import { DecodeError, fail } from './decode-error.ts';
import { type KeyWindow, splitWindowedKey } from './windowed-key.ts';

export interface DecodedRow {
  readonly ok: true;
  readonly row: Row;
  /** event time, ms: the declared timestamp column, else the record's */
  readonly rowtime: number;
  /** the record's value was null: a tombstone of a table, a row without value of a stream */
  readonly noValue: boolean;
}

/** `null_key`: a record of a table without key; `undecodable`: bytes that are not what the source declares. */
export interface DecodeFailure {
  readonly ok: false;
  readonly reason: 'undecodable' | 'null_key';
  readonly message: string;
}

export type RowDecoder = (record: LogRecord) => DecodedRow | DecodeFailure;

/** Lifts a record of an older schema version to the current one, before decoding. */
export type Upcaster = (record: LogRecord) => LogRecord;

export interface RowDecoderOptions {
  readonly source: SourceSpec;
  /**
   * What the rows hold, by name: declared columns, ROWPARTITION, ROWOFFSET, and for a windowed source WINDOWSTART and
   * WINDOWEND; the schema of the plan's scan. Other columns (but for the timestamp's) are not decoded: a record may hold
   * anything there.
   */
  readonly schema: Schema;
  /** reads a STRING timestamp column by its declared format; null when the text does not fit it */
  readonly timestampParser: (format: string) => (text: string) => number | null;
  readonly upcast?: Upcaster | undefined;
}

interface Decoded {
  readonly record: LogRecord;
  readonly key: Row | null;
  readonly value: Row | null;
  readonly window: KeyWindow | null;
}

export function createRowDecoder(options: RowDecoderOptions): RowDecoder {
  const { source, schema, upcast } = options;
  const keyColumns = source.columns.filter(c => c.from === 'key');
  const valueColumns = source.columns.filter(c => c.from === 'value');
  const names = new Set(schema.columns.map(c => c.name));
  const needed = (c: Column) => names.has(c.name) || c.name === source.timestamp?.column;
  const readKey = columnsReader({
    columns: keyColumns,
    format: source.keyFormat,
    unwrapped: keyColumns.length === 1,
    needed: () => true,
  });
  const readValue = columnsReader({
    columns: valueColumns,
    format: source.valueFormat,
    unwrapped: valueColumns.length === 1 && !source.valueFormat.wrapSingle,
    needed,
  });
  const cells = schema.columns.map(c => cellReader(source, c.name, keyColumns, valueColumns));
  const rowtime = rowtimeReader(options, keyColumns, valueColumns);

  const decode = (record: LogRecord): DecodedRow | DecodeFailure => {
    const { key, window } = readRecordKey(source, record, readKey);
    if (source.kind === 'table' && (key === null || key.every(v => v === null))) {
      return { ok: false, reason: 'null_key', message: `${source.name}: record without key` };
    }
    const value = record.value === null ? null : part('value', () => readValue(record.value as Uint8Array));
    const decoded: Decoded = { record, key, value, window };
    return {
      ok: true,
      row: cells.map(cell => cell(decoded)),
      rowtime: rowtime(decoded),
      noValue: value === null,
    };
  };

  return record => {
    try {
      return decode(upcast ? lifted(record, upcast) : record);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return { ok: false, reason: 'undecodable', message: `${source.name}: ${error.message}` };
    }
  };
}

/** Upcasters are code of the project: one that throws must not stop the view. */
function lifted(record: LogRecord, upcast: Upcaster): LogRecord {
  try {
    return upcast(record);
  } catch (error) {
    return fail(`the upcaster failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readRecordKey(
  source: SourceSpec,
  record: LogRecord,
  readKey: ColumnsReader,
): { readonly key: Row | null; readonly window: KeyWindow | null } {
  const { key } = record;
  if (key === null) return { key: null, window: null };
  if (source.window === null) return { key: part('key', () => readKey(key)), window: null };
  const { type, size } = source.window;
  const windowed = part('key', () => splitWindowedKey(key, type, size));
  return { key: part('key', () => readKey(windowed.key)), window: windowed.window };
}

function cellReader(
  source: SourceSpec,
  name: string,
  keyColumns: readonly SourceColumn[],
  valueColumns: readonly SourceColumn[],
): (decoded: Decoded) => Value | null {
  const column = source.columns.find(c => c.name === name);
  if (column === undefined) return pseudoReader(name);
  switch (column.from) {
    case 'key': {
      const i = keyColumns.indexOf(column);
      return d => d.key?.[i] ?? null;
    }
    case 'value': {
      const i = valueColumns.indexOf(column);
      return d => d.value?.[i] ?? null;
    }
    case 'headers':
      return d => d.record.headers.map(header => [header.name, header.value]);
    case 'header':
      return d => lastHeader(d.record.headers, column.header ?? '');
  }
}

function pseudoReader(name: string): (decoded: Decoded) => Value | null {
  switch (name) {
    case 'ROWPARTITION':
      return d => d.record.partition;
    case 'ROWOFFSET':
      return d => BigInt(d.record.offset);
    case 'WINDOWSTART':
      return d => (d.window === null ? null : BigInt(d.window.start));
    case 'WINDOWEND':
      return d => (d.window === null ? null : BigInt(d.window.end));
    default:
      assert(false, `scan column ${name} is not declared`);
  }
}

function lastHeader(headers: readonly Header[], name: string): Uint8Array | null {
  return headers.findLast(h => h.name === name)?.value ?? null;
}

function rowtimeReader(
  { source, timestampParser }: RowDecoderOptions,
  keyColumns: readonly SourceColumn[],
  valueColumns: readonly SourceColumn[],
): (decoded: Decoded) => number {
  const declared = source.timestamp;
  if (declared === null) return d => d.record.timestamp;
  const cell = cellReader(source, declared.column, keyColumns, valueColumns);
  const fromKey = keyColumns.some(c => c.name === declared.column);
  const parse = declared.format === null ? null : timestampParser(declared.format);
  return d => {
    if (d.value === null && !fromKey) return d.record.timestamp;
    const value = cell(d);
    const time =
      typeof value === 'number' || typeof value === 'bigint'
        ? Number(value)
        : typeof value === 'string' && parse !== null
          ? parse(value)
          : null;
    if (time !== null && isEventTime(time)) return time;
    return fail(`timestamp column ${declared.column} holds no time`);
  };
}

function part<T>(name: 'key' | 'value', read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(`${name}: ${error.message}`);
  }
}
