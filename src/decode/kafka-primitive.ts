import { unreachable } from '../core/assert.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { fail } from './decode-error.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Strict UTF-8. */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return fail('text is not UTF-8');
  }
}

export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Reads what Kafka's own serialisers write: big-endian numbers, UTF-8 text, raw bytes. */
export function fromKafkaPrimitive(bytes: Uint8Array, type: SqlType): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type.kind) {
    case 'INT':
      size(bytes, 4, type);
      return view.getInt32(0);
    case 'BIGINT':
      size(bytes, 8, type);
      return view.getBigInt64(0);
    case 'DOUBLE':
      size(bytes, 8, type);
      return view.getFloat64(0);
    case 'STRING':
      return utf8Text(bytes);
    case 'BYTES':
      return bytes;
    case 'BOOLEAN':
    case 'DECIMAL':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      return fail(`KAFKA holds no ${type.kind}`);
    default:
      return unreachable(type);
  }
}

function size(bytes: Uint8Array, expected: number, type: SqlType): void {
  if (bytes.length !== expected) fail(`${type.kind} takes ${expected} bytes, not ${bytes.length}`);
}

export function toKafkaPrimitive(value: Value, type: SqlType): Uint8Array {
  switch (type.kind) {
    case 'INT':
      return packed(4, view => view.setInt32(0, value as number));
    case 'BIGINT':
      return packed(8, view => view.setBigInt64(0, value as bigint));
    case 'DOUBLE':
      return packed(8, view => view.setFloat64(0, value as number));
    case 'STRING':
      return utf8Bytes(value as string);
    case 'BYTES':
      return value as Uint8Array;
    default:
      return fail(`KAFKA holds no ${type.kind}`);
  }
}

function packed(bytes: number, write: (view: DataView) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  write(view);
  return new Uint8Array(view.buffer);
}
