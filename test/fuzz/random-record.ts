import type { Header } from '../../src/core/log-record.ts';
import type { SqlType } from '../../src/core/sql-type.ts';
import type { FormatSpec, SourceSpec } from '../../src/plan/plan.ts';
import type { Random } from '../oracle/generator/random.ts';
import { mutated } from './byte-mutation.ts';
import { anyJson, jsonObject, jsonOf } from './random-json.ts';

export interface RawRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
}

const utf8 = new TextEncoder();

/** A record for a source: mostly what it declares, often with a small damage, now and then anything. */
export function randomRecord(random: Random, source: SourceSpec): RawRecord {
  const keys = source.columns.filter(c => c.from === 'key');
  const values = source.columns.filter(c => c.from === 'value');
  const key = random.chance(0.06)
    ? null
    : damaged(random, part(random, keys, source.keyFormat, keys.length === 1));
  const unwrapped = values.length === 1 && !source.valueFormat.wrapSingle;
  const value = random.chance(0.04)
    ? null
    : damaged(random, part(random, values, source.valueFormat, unwrapped));
  const headers = random.chance(0.1)
    ? [{ name: 'h', value: random.chance(0.2) ? null : utf8.encode('é') }]
    : [];
  return { key: key !== null && source.window !== null ? windowed(random, key) : key, value, headers };
}

/** One like the other: all fields in one order and one spelling. Decoders make code for such a shape once it is common. */
export function steadyRecord(random: Random, source: SourceSpec): RawRecord {
  const keys = source.columns.filter(c => c.from === 'key');
  const values = source.columns.filter(c => c.from === 'value');
  if (source.valueFormat.format !== 'JSON' || !source.valueFormat.wrapSingle)
    return randomRecord(random, source);
  const fields = values.map(c => `"${c.name}":${steadyValue(random, c.type)}`);
  const key = part(random, keys, source.keyFormat, keys.length === 1);
  return { key, value: utf8.encode(`{${fields.join(',')}}`), headers: [] };
}

function steadyValue(random: Random, type: SqlType): string {
  if (type.kind === 'STRING')
    return random.of(['"a"', '"b"', '"k"', '"\\u0061"', '"é"', '""', '"longer text"', 'null']);
  return jsonOf(random, type, 2);
}

function damaged(random: Random, bytes: Uint8Array): Uint8Array {
  return random.chance(0.15) ? mutated(random, bytes) : bytes;
}

type Columns = readonly { readonly name: string; readonly type: SqlType }[];

function part(random: Random, columns: Columns, format: FormatSpec, unwrapped: boolean): Uint8Array {
  const [first] = columns;
  if (first === undefined || random.chance(0.02)) return utf8.encode(anyJson(random, 3));
  switch (format.format) {
    case 'JSON':
      return utf8.encode(unwrapped ? jsonOf(random, first.type, 3) : jsonObject(random, columns));
    case 'DELIMITED':
      return utf8.encode(columns.map(c => field(random, c.type, format.delimiter)).join(format.delimiter));
    default:
      return primitive(random, first.type);
  }
}

/** CSV: JSON's spellings without and with quotes. */
function field(random: Random, type: SqlType, delimiter: string): string {
  const json = jsonOf(random, type, 0);
  const text = json.startsWith('"') ? json.slice(1, -1) : json;
  if (random.chance(0.1)) return '';
  const quote = text.includes(delimiter) || random.chance(0.2);
  return quote ? `"${text.replaceAll('"', '""')}"` : text;
}

function primitive(random: Random, type: SqlType): Uint8Array {
  const size = { INT: 4, BIGINT: 8, DOUBLE: 8 }[type.kind as string] ?? -1;
  if (size < 0) return utf8.encode(random.of(['', 'a', 'key', 'é', '😀', 'x\u0000y']));
  return Uint8Array.from({ length: random.chance(0.97) ? size : random.int(0, 9) }, () =>
    random.chance(0.5) ? random.of([0, 0, 1, 0x7f, 0x80, 0xff]) : random.int(0, 255),
  );
}

/** A key of ksqlDB's: the window's start follows in 8 bytes. */
function windowed(random: Random, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(key.length + (random.chance(0.9) ? 8 : random.int(0, 9)));
  bytes.set(key);
  if (bytes.length === key.length + 8) bytes[bytes.length - 2] = random.int(0, 255);
  return bytes;
}
