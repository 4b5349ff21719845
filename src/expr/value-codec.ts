import { assert } from '../core/assert.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Row, Value } from '../core/value.ts';

/**
 * Values as bytes, for state snapshots and journals: compact, and equal values give equal bytes (a MAP keeps its
 * insertion order, which is part of it). The type is not written; the reader must know it.
 *
 * A value starts with a byte: 0 NULL, 1 present (BOOLEAN: 1 false, 2 true). Then INT, DATE, TIME, BIGINT, DECIMAL: zigzag
 * varint of any length; DOUBLE, TIMESTAMP: 8 bytes, little endian; STRING (UTF-8), BYTES: varint length and bytes;
 * ARRAY, MAP: varint count and the values; STRUCT: its fields in order.
 */
export function encodeValue(type: SqlType, value: Value | null): Uint8Array {
  const writer = new ByteWriter();
  writeValue(writer, type, value);
  return writer.bytes();
}

export function decodeValue(type: SqlType, bytes: Uint8Array): Value | null {
  const reader = new ByteReader(bytes);
  const value = readValue(reader, type);
  assert(reader.atEnd, 'bytes follow the value');
  return value;
}

export function encodeRow(types: readonly SqlType[], row: Row): Uint8Array {
  const writer = new ByteWriter();
  for (const [i, type] of types.entries()) writeValue(writer, type, row[i] ?? null);
  return writer.bytes();
}

export function decodeRow(types: readonly SqlType[], bytes: Uint8Array): Row {
  const reader = new ByteReader(bytes);
  const row = types.map(type => readValue(reader, type));
  assert(reader.atEnd, 'bytes follow the row');
  return row;
}

/** its zigzag is below 2^53 */
const SMALL = 2n ** 51n;

/** Bytes that grow; several values one after the other. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(64);
  #length = 0;

  bytes(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#length));
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  double(value: number): void {
    this.#reserve(8);
    // one NaN, so that equal values give equal bytes
    this.#buffer.writeDoubleLE(Number.isNaN(value) ? Number.NaN : value, this.#length);
    this.#length += 8;
  }

  /** unsigned, below 2^53 */
  length(value: number): void {
    while (value >= 0x8000_0000) {
      this.byte((value % 0x80) | 0x80);
      value = Math.floor(value / 0x80);
    }
    while (value >= 0x80) {
      this.byte((value & 0x7f) | 0x80);
      value >>>= 7;
    }
    this.byte(value);
  }

  /** signed, below 2^52 in size: the bytes of `integer`, without a bigint */
  safeInteger(value: number): void {
    this.length(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** signed, any size */
  integer(value: bigint): void {
    if (value <= SMALL && value >= -SMALL) {
      this.safeInteger(Number(value));
      return;
    }
    let zigzag = value >= 0n ? value << 1n : (-value << 1n) - 1n;
    while (zigzag > 0xffff_ffffn) {
      this.byte(Number(zigzag & 0x7fn) | 0x80);
      zigzag >>= 7n;
    }
    this.length(Number(zigzag));
  }

  blob(bytes: Uint8Array): void {
    this.length(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(text: string): void {
    const size = Buffer.byteLength(text, 'utf8');
    this.length(size);
    this.#reserve(size);
    this.#length += this.#buffer.write(text, this.#length, 'utf8');
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + size));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

/** Reads what {@link ByteWriter} wrote; a cut text fails as a bug, its owner checks sums. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#buffer.length;
  }

  byte(): number {
    const value = this.#buffer[this.#at++];
    assert(value !== undefined, 'the bytes end too early');
    return value;
  }

  double(): number {
    const value = this.#buffer.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  length(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  integer(): bigint {
    const from = this.#at;
    let small = 0;
    for (let factor = 1; factor < 2 ** 49; factor *= 0x80) {
      const byte = this.byte();
      small += (byte & 0x7f) * factor;
      if (byte < 0x80) return BigInt(small % 2 === 0 ? small / 2 : -(small + 1) / 2);
    }
    this.#at = from;
    let zigzag = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      zigzag |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return zigzag & 1n ? -((zigzag + 1n) >> 1n) : zigzag >> 1n;
  }

  /** a copy */
  blob(): Uint8Array {
    const size = this.length();
    assert(this.#at + size <= this.#buffer.length, 'the bytes end too early');
    const bytes = new Uint8Array(this.#buffer.subarray(this.#at, this.#at + size));
    this.#at += size;
    return bytes;
  }

  text(): string {
    const size = this.length();
    assert(this.#at + size <= this.#buffer.length, 'the bytes end too early');
    const text = this.#buffer.toString('utf8', this.#at, this.#at + size);
    this.#at += size;
    return text;
  }
}

export function writeValue(writer: ByteWriter, type: SqlType, value: Value | null): void {
  if (value === null) {
    writer.byte(0);
  } else if (type.kind === 'BOOLEAN') {
    writer.byte(value === true ? 2 : 1);
  } else {
    writer.byte(1);
    writePresent(writer, type, value);
  }
}

function writePresent(writer: ByteWriter, type: SqlType, value: Value): void {
  switch (type.kind) {
    case 'BOOLEAN':
      break;
    case 'INT':
    case 'DATE':
    case 'TIME':
      writer.safeInteger(value as number);
      break;
    case 'BIGINT':
    case 'DECIMAL':
      writer.integer(value as bigint);
      break;
    case 'DOUBLE':
    case 'TIMESTAMP':
      writer.double(value as number);
      break;
    case 'STRING':
      writer.text(value as string);
      break;
    case 'BYTES':
      writer.blob(value as Uint8Array);
      break;
    case 'ARRAY': {
      const items = value as readonly (Value | null)[];
      writer.length(items.length);
      for (const item of items) writeValue(writer, type.element, item);
      break;
    }
    case 'STRUCT': {
      const fields = value as readonly (Value | null)[];
      for (const [i, field] of type.fields.entries()) writeValue(writer, field.type, fields[i] ?? null);
      break;
    }
    case 'MAP': {
      const map = value as ReadonlyMap<Value, Value | null>;
      writer.length(map.size);
      for (const [k, v] of map) {
        writeValue(writer, type.key, k);
        writeValue(writer, type.value, v);
      }
    }
  }
}

export function readValue(reader: ByteReader, type: SqlType): Value | null {
  const tag = reader.byte();
  if (tag === 0) return null;
  switch (type.kind) {
    case 'BOOLEAN':
      return tag === 2;
    case 'INT':
    case 'DATE':
    case 'TIME':
      return Number(reader.integer());
    case 'BIGINT':
    case 'DECIMAL':
      return reader.integer();
    case 'DOUBLE':
    case 'TIMESTAMP':
      return reader.double();
    case 'STRING':
      return reader.text();
    case 'BYTES':
      return reader.blob();
    case 'ARRAY': {
      const items: (Value | null)[] = [];
      for (let n = reader.length(); n > 0; n--) items.push(readValue(reader, type.element));
      return items;
    }
    case 'STRUCT':
      return type.fields.map(field => readValue(reader, field.type));
    case 'MAP': {
      const map = new Map<Value, Value | null>();
      for (let n = reader.length(); n > 0; n--) {
        const key = readValue(reader, type.key);
        assert(key !== null, 'a map has no NULL key');
        map.set(key, readValue(reader, type.value));
      }
      return map;
    }
  }
}
