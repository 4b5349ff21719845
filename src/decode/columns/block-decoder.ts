import { isUtf8 } from 'node:buffer';
import type { Bits, Vec } from '../../core/batch.ts';
import { clearBit, makeBits, setBit } from '../../core/bits.ts';
import { ColumnMemory } from '../../core/column-memory.ts';
import { isEventTime } from '../../core/event-time.ts';
import { KeyDictionary } from '../../core/key-dictionary.ts';
import { type RecordBlock, recordAt, type SharedBytes } from '../../core/log-record.ts';
import type { Column, Schema } from '../../core/schema.ts';
import { vecKind } from '../../core/vec.ts';
import type { SourceColumn, SourceSpec } from '../../plan/plan.ts';
import { createRowDecoder, type RowDecoder, type RowDecoderOptions, type Upcaster } from '../row-decoder.ts';
import { ColumnSink } from './column-sink.ts';
import { ObjectScanner } from './object-scanner.ts';
import type { Stretch } from './record-shape.ts';
import { Kind, scanScalar, targetOf } from './scalar-scanner.ts';
import { sharedRows } from './shared-rows.ts';
import { skipSpace } from './skip-value.ts';

/** records that are tried as a whole */
const STRETCH = 4096;

/**
 * The records of one source in a block, in columns; failed records are left out. All of it is good until the decoder
 * decodes the next block.
 */
export interface DecodedBlock {
  readonly n: number;
  /** one per column of the decoder's schema */
  readonly cols: readonly Vec[];
  /** index of each row's record in the block */
  readonly record: Int32Array;
  readonly rowtime: Float64Array;
  readonly noValue: Bits | null;
  readonly failures: readonly BlockFailure[];
}

export interface BlockFailure {
  readonly record: number;
  readonly reason: 'undecodable' | 'null_key';
  readonly message: string;
}

export interface BlockDecoder {
  /** Decodes the records with these indices (the first `count` of `records`, ascending). */
  decode(block: RecordBlock, records: Int32Array, count: number): DecodedBlock;
  /** The rows of a block that a decoder like this one has decoded in another thread. */
  take(block: RecordBlock, rows: SharedBytes): DecodedBlock;
}

/**
 * Decodes whole blocks: rows that are plain JSON (and KAFKA keys) go straight from bytes to columns, every other row
 * through the row decoder. The answers are those of the row decoder in every case. `memory`: for each column.
 */
export function createBlockDecoder(
  options: RowDecoderOptions,
  memory: () => ColumnMemory = () => new ColumnMemory(),
): BlockDecoder {
  return new SourceDecoder(options, memory);
}

class SourceDecoder implements BlockDecoder {
  /** the columns of the schema, then the timestamp column when it is not among them */
  readonly #columns: readonly Column[];
  /** numbers of the texts of a column */
  readonly #dictionaries: readonly (KeyDictionary | null)[];
  readonly #memory: readonly ColumnMemory[];
  /** of `record` and `rowtime` */
  readonly #rows: ColumnMemory;
  readonly #given: number;
  readonly #source: SourceSpec;
  readonly #slow: RowDecoder;
  readonly #key: PlainReader | null;
  readonly #value: ValueReader | null;
  readonly #keyAt: readonly number[];
  readonly #valueAt: readonly number[];
  readonly #fast: boolean;
  readonly #upcast: Upcaster | null;
  /** records that are alike may be decoded column by column */
  readonly #bulk: boolean;
  /** position in the schema of the timestamp column; -1: the record's own time */
  readonly #timestamp: number;
  readonly #partition: number;
  readonly #offset: number;

  constructor(options: RowDecoderOptions, memory: () => ColumnMemory) {
    const { source, schema } = options;
    this.#source = source;
    this.#slow = createRowDecoder(options);
    this.#upcast = options.upcast ?? null;
    this.#given = schema.columns.length;
    this.#columns = withTimestamp(schema, source);
    this.#dictionaries = this.#columns.map(c => (vecKind(c.type) === 'str' ? new KeyDictionary() : null));
    this.#memory = this.#columns.map(memory);
    this.#rows = memory();
    const position = (c: SourceColumn): number => this.#columns.findIndex(s => s.name === c.name);
    const keys = source.columns.filter(c => c.from === 'key');
    const values = source.columns.filter(c => c.from === 'value');
    const read = values.filter(c => position(c) >= 0);
    this.#keyAt = keys.map(position);
    this.#valueAt = read.map(position);
    this.#key = keyReader(source, keys);
    this.#value = valueReader(source, values, read);
    this.#timestamp =
      source.timestamp === null ? -1 : this.#columns.findIndex(c => c.name === source.timestamp?.column);
    this.#partition = this.#columns.findIndex(c => c.name === 'ROWPARTITION');
    this.#offset = this.#columns.findIndex(c => c.name === 'ROWOFFSET');
    const headers = this.#columns.some(c =>
      source.columns.some(s => s.name === c.name && s.from !== 'key' && s.from !== 'value'),
    );
    this.#fast =
      source.window === null &&
      !headers &&
      this.#value !== null &&
      this.#key !== null &&
      timestampIsPlain(source, this.#columns[this.#timestamp]);
    this.#bulk = this.#fast && this.#upcast === null;
  }

  decode(block: RecordBlock, records: Int32Array, count: number): DecodedBlock {
    const sinks = this.#columns.map(
      (c, i) =>
        new ColumnSink(c.type, count, block.bytes, this.#memory[i] as ColumnMemory, this.#dictionaries[i]),
    );
    const record = this.#rows.i32(count);
    const rowtime = this.#rows.f64(count);
    const failures: BlockFailure[] = [];
    let noValue: Bits | null = null;
    this.#aim(sinks);
    let n = 0;
    let reach = STRETCH;
    for (let k = 0; k < count; k++) {
      if (this.#bulk && this.#value?.alike() === true) {
        const until = Math.min(count, k + reach);
        const { read, count: alike } = this.#stretch(block, { records, k, until, sinks, record, rowtime, n });
        // a key or a time that ended it has the records behind it read again
        reach = alike === read ? Math.min(STRETCH, reach * 2) : alike + 1;
        k += alike;
        n += alike;
        if (k === until) {
          k--;
          continue;
        }
      }
      const i = records[k] as number;
      if (this.#fast && this.#plain(block, i, sinks, n, rowtime)) {
        record[n++] = i;
        continue;
      }
      const decoded = this.#slow(recordAt(block, i));
      if (!decoded.ok) {
        failures.push({ record: i, reason: decoded.reason, message: decoded.message });
        for (const sink of sinks) if (sink.nulls !== null) clearBit(sink.nulls, n);
        continue;
      }
      for (let c = 0; c < this.#given; c++) (sinks[c] as ColumnSink).set(n, decoded.row[c] ?? null);
      if (decoded.noValue) {
        noValue ??= makeBits(count);
        setBit(noValue, n);
      }
      rowtime[n] = decoded.rowtime;
      record[n++] = i;
    }
    return { n, cols: sinks.slice(0, this.#given).map(s => s.build(n)), record, rowtime, noValue, failures };
  }

  take(block: RecordBlock, rows: SharedBytes): DecodedBlock {
    return sharedRows(rows, this.#columns.slice(0, this.#given), block.bytes, this.#dictionaries);
  }

  /** Points the scanners at the columns of a new block. */
  #aim(sinks: readonly ColumnSink[]): void {
    const of = (at: number): ColumnSink | null => sinks[at] ?? null;
    this.#value?.target(this.#valueAt.map(of));
    this.#key?.target(this.#keyAt.map(of));
  }

  /** Decodes records that are all alike, as far as they are: how many values were read, and how many records count. */
  #stretch(block: RecordBlock, part: Stretched): { readonly read: number; readonly count: number } {
    const { records, k, until, sinks, record, rowtime, n } = part;
    const stretch = { starts: block.valueStart, ends: block.valueEnd, records };
    const read = (this.#value?.readAlike(block.bytes, stretch, k, until, n) ?? k) - k;
    const count = this.#times(part, this.#keys(block, part, read));
    for (let j = 0; j < count; j++) record[n + j] = records[k + j] as number;
    if (this.#timestamp < 0) {
      for (let j = 0; j < count; j++) rowtime[n + j] = block.timestamp[records[k + j] as number] as number;
    }
    if (this.#partition >= 0 || this.#offset >= 0) {
      for (let j = 0; j < count; j++) this.#place(block, records[k + j] as number, sinks, n + j);
    }
    // rows of records that did not count are written again, by others
    const written = n + Math.min(read + 1, until - k);
    for (const { nulls } of sinks) {
      if (nulls !== null) for (let row = n + count; row < written; row++) clearBit(nulls, row);
    }
    return { read, count };
  }

  /** Reads the keys of the next rows; how many of them have a plain one. */
  #keys(block: RecordBlock, { records, k, sinks, n }: Stretched, count: number): number {
    if (this.#keyAt.length === 0 && this.#source.kind !== 'table') return count;
    for (let j = 0; j < count; j++) {
      if (!this.#plainKey(block, records[k + j] as number, sinks, n + j)) return j;
    }
    return count;
  }

  #plainKey(block: RecordBlock, i: number, sinks: readonly ColumnSink[], row: number): boolean {
    const start = block.keyStart[i] as number;
    if (start >= 0) return this.#key?.read(block.bytes, start, block.keyEnd[i] as number, row) === true;
    if (this.#source.kind === 'table') return false;
    for (const at of this.#keyAt) sinks[at]?.setNull(row);
    return true;
  }

  /** The event times of the next rows; how many of them have one. */
  #times({ sinks, rowtime, n }: Stretched, count: number): number {
    if (this.#timestamp < 0) return count;
    const { nulls, kind, words, f64 } = sinks[this.#timestamp] as ColumnSink;
    for (let j = 0; j < count; j++) {
      const row = n + j;
      if (nulls !== null && ((nulls[row >>> 5] as number) >>> (row & 31)) & 1) return j;
      const time = kind === 'i64' ? wide(words, row) : (f64[row] as number);
      if (!isEventTime(time)) return j;
      rowtime[row] = time;
    }
    return count;
  }

  #place(block: RecordBlock, i: number, sinks: readonly ColumnSink[], row: number): void {
    if (this.#partition >= 0) (sinks[this.#partition] as ColumnSink).i32[row] = block.partition[i] as number;
    if (this.#offset >= 0) (sinks[this.#offset] as ColumnSink).i64[row] = BigInt(block.offset[i] as number);
  }

  #plain(
    block: RecordBlock,
    i: number,
    sinks: readonly ColumnSink[],
    n: number,
    rowtime: Float64Array,
  ): boolean {
    const start = block.valueStart[i] as number;
    if (start < 0 || (this.#upcast !== null && isLifted(block, i, this.#upcast))) return false;
    if (!this.#plainKey(block, i, sinks, n)) return false;
    if (!this.#value?.read(block.bytes, start, block.valueEnd[i] as number, n)) return false;
    if (this.#timestamp < 0) rowtime[n] = block.timestamp[i] as number;
    else {
      const sink = sinks[this.#timestamp] as ColumnSink;
      if (sink.nulls !== null && ((sink.nulls[n >>> 5] as number) >>> (n & 31)) & 1) return false;
      const time = sink.kind === 'i64' ? wide(sink.words, n) : (sink.f64[n] as number);
      if (!isEventTime(time)) return false;
      rowtime[n] = time;
    }
    this.#place(block, i, sinks, n);
    return true;
  }
}

/** Records [k, until) that go into rows from n on. */
interface Stretched {
  readonly records: Int32Array;
  readonly k: number;
  readonly until: number;
  readonly sinks: readonly ColumnSink[];
  readonly record: Int32Array;
  readonly rowtime: Float64Array;
  readonly n: number;
}

/** Whether an upcaster changes the record. */
function isLifted(block: RecordBlock, i: number, upcast: Upcaster): boolean {
  const record = recordAt(block, i);
  try {
    return upcast(record) !== record;
  } catch {
    return true; // the row decoder reports it
  }
}

function wide(words: Int32Array, row: number): number {
  return (words[row * 2 + 1] as number) * 4294967296 + ((words[row * 2] as number) >>> 0);
}

function withTimestamp(schema: Schema, source: SourceSpec): readonly Column[] {
  const declared = source.columns.find(c => c.name === source.timestamp?.column);
  if (declared === undefined || schema.columns.some(c => c.name === declared.name)) return schema.columns;
  return [...schema.columns, { name: declared.name, type: declared.type }];
}

function timestampIsPlain(source: SourceSpec, column: Column | undefined): boolean {
  if (source.timestamp === null) return true;
  const declared = source.columns.find(c => c.name === source.timestamp?.column);
  return (column?.type.kind === 'BIGINT' || column?.type.kind === 'TIMESTAMP') && declared?.from === 'value';
}

/** `read`: those of the columns that somebody reads. */
function valueReader(
  source: SourceSpec,
  columns: readonly Column[],
  read: readonly Column[],
): ValueReader | null {
  const { format, wrapSingle } = source.valueFormat;
  const [only] = columns;
  if (only === undefined) return null;
  if (format === 'KAFKA' && columns.length === 1 && read.length === 1) return oneByOne(kafkaPrimitive(only));
  if (format !== 'JSON' || (columns.length === 1 && !wrapSingle)) return null;
  return objectReader(read);
}

function objectReader(columns: readonly Column[]): ValueReader {
  const scanner = new ObjectScanner(columns);
  return {
    target: sinks => scanner.target(sinks),
    read: (bytes, start, end, row) => scanner.scan(bytes, start, end, row),
    alike: () => scanner.alike,
    readAlike: (bytes, stretch, k, until, row) => scanner.scanAlike(bytes, stretch, k, until, row),
  };
}

function oneByOne(reader: PlainReader | null): ValueReader | null {
  return reader === null ? null : { ...reader, alike: () => false, readAlike: (_bytes, _stretch, k) => k };
}

/** Reads a plain key or value into its columns; false: the row decoder must. */
interface PlainReader {
  target(sinks: readonly (ColumnSink | null)[]): void;
  read(bytes: Uint8Array, start: number, end: number, row: number): boolean;
}

interface ValueReader extends PlainReader {
  /** whether it is worth while to ask for records that are alike */
  alike(): boolean;
  /** See {@link ObjectScanner.scanAlike}. */
  readAlike(bytes: Uint8Array, stretch: Stretch, k: number, until: number, row: number): number;
}

function keyReader(source: SourceSpec, keys: readonly Column[]): PlainReader | null {
  const [only] = keys;
  if (only === undefined) return { target: () => undefined, read: () => true };
  const { format } = source.keyFormat;
  if (format === 'KAFKA' && keys.length === 1) return kafkaPrimitive(only);
  if (format === 'JSON') {
    if (keys.length === 1) return jsonKey(only);
    return source.kind === 'table' ? null : objectReader(keys);
  }
  return null;
}

function kafkaPrimitive(column: Column): PlainReader | null {
  let sink: ColumnSink | null = null;
  const target = (sinks: readonly (ColumnSink | null)[]): void => {
    sink = sinks[0] ?? null;
  };
  switch (column.type.kind) {
    case 'STRING':
      return {
        target,
        read: (bytes, start, end, row) => {
          let high = 0;
          for (let p = start; p < end; p++) high |= bytes[p] as number;
          if (high >= 0x80 && !isUtf8(bytes.subarray(start, end))) return false;
          sink?.setSlice(row, start, end);
          return true;
        },
      };
    case 'INT':
      return {
        target,
        read: (bytes, start, end, row) => {
          if (end - start !== 4) return false;
          if (sink !== null) sink.i32[row] = bigEndian(bytes, start);
          return true;
        },
      };
    case 'BIGINT':
      return {
        target,
        read: (bytes, start, end, row) => {
          if (end - start !== 8) return false;
          if (sink !== null) {
            sink.words[row * 2 + 1] = bigEndian(bytes, start);
            sink.words[row * 2] = bigEndian(bytes, start + 4);
          }
          return true;
        },
      };
    default:
      return null;
  }
}

function bigEndian(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

function jsonKey(column: Column): PlainReader {
  const target = targetOf(column.type);
  return {
    target: sinks => {
      target.sink = sinks[0] ?? null;
    },
    read: (bytes, start, end, row) => {
      const p = skipSpace(bytes, start, end);
      // a null key of a table is a failure, of a stream a null: the row decoder tells
      if (p >= end || bytes[p] === 0x6e || target.kind === Kind.OTHER) return false;
      const q = scanScalar(bytes, p, end, target, row);
      return q >= 0 && skipSpace(bytes, q, end) === end;
    },
  };
}
