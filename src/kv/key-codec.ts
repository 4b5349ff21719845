import { assert, unreachable } from '../core/assert.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Row, Value } from '../core/value.ts';

/**
 * SQL values as bytes whose unsigned order is the order of the values: numbers by size, NaN greatest, strings by code
 * point, arrays and structs item by item, NULL after every value (as PostgreSQL orders). A descending column has all its
 * bytes flipped, so NULL comes first there. Equal values give equal bytes. The key of some first columns is a prefix of
 * the key of all, and no key of whole columns is a prefix of another one.
 *
 * A value starts with 01, NULL is 02. Then BOOLEAN: 1 byte; INT, DATE, TIME: 4 bytes, DOUBLE, TIMESTAMP: 8 bytes, big
 * endian, made unsigned; BIGINT, DECIMAL: a byte 80 plus or minus the number of bytes, then these (flipped when
 * negative); STRING (UTF-8), BYTES: 00 is written 00 FF, and 00 01 ends; ARRAY, MAP (ordered by its keys): items, 00
 * ends; STRUCT: its fields.
 */
export function encodeKey(
  values: Row,
  types: readonly SqlType[],
  descending: readonly boolean[] = [],
): Uint8Array {
  const out = new KeyWriter();
  for (let i = 0; i < types.length; i++) {
    const from = out.length;
    writeItem(out, types[i]!, values[i] ?? null);
    if (descending[i] === true) out.flip(from);
  }
  return out.bytes();
}

/** The values of a key. `types` may name the first columns only. */
export function decodeKey(
  key: Uint8Array,
  types: readonly SqlType[],
  descending: readonly boolean[] = [],
): (Value | null)[] {
  const reader = new KeyReader(key);
  return types.map((type, i) => {
    reader.mask = descending[i] === true ? 0xff : 0;
    return readItem(reader, type);
  });
}

/** The first key after all keys that begin with `prefix`; undefined: none can follow. */
export function keyAfterPrefix(prefix: Uint8Array): Uint8Array | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    if (prefix[i]! === 0xff) continue;
    const after = prefix.slice(0, i + 1);
    after[i] = prefix[i]! + 1;
    return new Uint8Array(after);
  }
  return undefined;
}

const END = 0x00;
const PRESENT = 0x01;
const NULL = 0x02;

function writeItem(out: KeyWriter, type: SqlType, value: Value | null): void {
  if (value === null) {
    out.byte(NULL);
    return;
  }
  out.byte(PRESENT);
  writePresent(out, type, value);
}

function writePresent(out: KeyWriter, type: SqlType, value: Value): void {
  switch (type.kind) {
    case 'BOOLEAN':
      out.byte(value === true ? 1 : 0);
      break;
    case 'INT':
    case 'DATE':
    case 'TIME':
      out.int32(value as number);
      break;
    case 'DOUBLE':
    case 'TIMESTAMP':
      out.double(value as number);
      break;
    case 'BIGINT':
    case 'DECIMAL':
      out.bigint(value as bigint);
      break;
    case 'STRING':
      out.escaped(Buffer.from(value as string));
      break;
    case 'BYTES':
      out.escaped(value as Uint8Array);
      break;
    case 'ARRAY':
      for (const item of value as readonly (Value | null)[]) writeItem(out, type.element, item);
      out.byte(END);
      break;
    case 'STRUCT':
      for (const [i, field] of type.fields.entries()) {
        writeItem(out, field.type, (value as readonly (Value | null)[])[i] ?? null);
      }
      break;
    case 'MAP': {
      const entries = [...(value as ReadonlyMap<Value, Value | null>)];
      const encoded = entries.map(entry => encodeKey(entry, [type.key, type.value]));
      for (const entry of encoded.sort(Buffer.compare)) out.raw(entry);
      out.byte(END);
      break;
    }
    default:
      unreachable(type);
  }
}

function readItem(from: KeyReader, type: SqlType): Value | null {
  const tag = from.byte();
  if (tag === NULL) return null;
  assert(tag === PRESENT, `a key holds ${tag} where a value starts`);
  return readPresent(from, type);
}

function readPresent(from: KeyReader, type: SqlType): Value {
  switch (type.kind) {
    case 'BOOLEAN':
      return from.byte() === 1;
    case 'INT':
    case 'DATE':
    case 'TIME':
      return from.int32();
    case 'DOUBLE':
    case 'TIMESTAMP':
      return from.double();
    case 'BIGINT':
    case 'DECIMAL':
      return from.bigint();
    case 'STRING':
      return from.escaped().toString();
    case 'BYTES':
      return new Uint8Array(from.escaped());
    case 'ARRAY': {
      const items: (Value | null)[] = [];
      while (!from.takeEnd()) items.push(readItem(from, type.element));
      return items;
    }
    case 'STRUCT':
      return type.fields.map(field => readItem(from, field.type));
    case 'MAP': {
      const map = new Map<Value, Value | null>();
      while (!from.takeEnd()) {
        const key = readItem(from, type.key);
        assert(key !== null, 'a MAP has no NULL key');
        map.set(key, readItem(from, type.value));
      }
      return map;
    }
    default:
      return unreachable(type);
  }
}

class KeyWriter {
  length = 0;
  #buffer = Buffer.allocUnsafe(64);

  bytes(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.length));
  }

  flip(from: number): void {
    for (let i = from; i < this.length; i++) this.#buffer[i]! ^= 0xff;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.length++] = value;
  }

  int32(value: number): void {
    this.#reserve(4);
    this.length = this.#buffer.writeUInt32BE((value ^ 0x80000000) >>> 0, this.length);
  }

  double(value: number): void {
    this.#reserve(8);
    const at = this.length;
    // one zero and one NaN, so that equal values give equal bytes
    this.#buffer.writeDoubleBE(Number.isNaN(value) ? Number.NaN : value + 0, at);
    this.length += 8;
    if (this.#buffer[at]! < 0x80) this.#buffer[at]! ^= 0x80;
    else this.flip(at);
  }

  bigint(value: bigint): void {
    const negative = value < 0n;
    let hex = (negative ? -value : value).toString(16);
    if (hex.length % 2 === 1) hex = `0${hex}`;
    const size = value === 0n ? 0 : hex.length / 2;
    assert(size < 0x7f, 'a number of this size has no key');
    this.byte(negative ? 0x80 - size : 0x80 + size);
    if (size === 0) return;
    this.#reserve(size);
    const from = this.length;
    this.length += this.#buffer.write(hex, from, 'hex');
    if (negative) this.flip(from);
  }

  escaped(bytes: Uint8Array): void {
    let from = 0;
    for (let zero = bytes.indexOf(0); zero >= 0; zero = bytes.indexOf(0, from)) {
      this.raw(bytes.subarray(from, zero + 1));
      this.byte(0xff);
      from = zero + 1;
    }
    this.raw(bytes.subarray(from));
    this.byte(0x00);
    this.byte(0x01);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  #reserve(size: number): void {
    if (this.length + size <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.length + size));
    grown.set(this.#buffer.subarray(0, this.length));
    this.#buffer = grown;
  }
}

class KeyReader {
  /** ff while a descending column is read */
  mask = 0;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    assert(byte !== undefined, 'a key ends too early');
    return byte ^ this.mask;
  }

  takeEnd(): boolean {
    if (((this.#bytes[this.#at] ?? END ^ this.mask) ^ this.mask) !== END) return false;
    this.#at++;
    return true;
  }

  int32(): number {
    return this.#take(4).readInt32BE() ^ 0x80000000;
  }

  double(): number {
    const bytes = this.#take(8);
    if (bytes[0]! >= 0x80) bytes[0]! ^= 0x80;
    else for (let i = 0; i < 8; i++) bytes[i]! ^= 0xff;
    return bytes.readDoubleBE();
  }

  bigint(): bigint {
    const head = this.byte();
    const negative = head < 0x80;
    const bytes = this.#take(Math.abs(head - 0x80));
    if (bytes.length === 0) return 0n;
    if (negative) for (let i = 0; i < bytes.length; i++) bytes[i]! ^= 0xff;
    const magnitude = BigInt(`0x${bytes.toString('hex')}`);
    return negative ? -magnitude : magnitude;
  }

  escaped(): Buffer {
    const out: number[] = [];
    for (;;) {
      const byte = this.byte();
      if (byte !== 0) out.push(byte);
      else if (this.byte() === 0x01) return Buffer.from(out);
      else out.push(0);
    }
  }

  #take(size: number): Buffer {
    const out = Buffer.allocUnsafe(size);
    for (let i = 0; i < size; i++) out[i] = this.byte();
    return out;
  }
}
