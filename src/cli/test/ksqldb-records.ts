import type { SqlType } from '../../core/sql-type.ts';
import { readJson } from '../../decode/json-reader.ts';
import { isJsonArray, JsonNumber, type JsonValue, jsonText } from '../../decode/json-value.ts';
import { fromKafkaPrimitive, toKafkaPrimitive, utf8Bytes, utf8Text } from '../../decode/kafka-primitive.ts';
import { doubleText, exactNumber } from '../../decode/number-text.ts';
import { joinWindowedKey, splitWindowedKey, type WindowKind } from '../../decode/windowed-key.ts';
import type { AppendRecord } from '../../log/event-log.ts';
import type { FormatSpec } from '../../plan/plan.ts';
import type { CaseRecord } from './ksqldb-case.ts';

/** How the records of a topic are written: what the case format leaves to the declaration of the topic's source. */
export interface TopicFormat {
  readonly topic: string;
  readonly key: FormatSpec;
  readonly value: FormatSpec;
  /** types of the key and value columns, for KAFKA primitives */
  readonly keyTypes: readonly SqlType[];
  readonly valueTypes: readonly SqlType[];
  readonly window: { readonly type: WindowKind; readonly size: number | null } | null;
}

/** A case's record as bytes. */
export function encodeCaseRecord(record: CaseRecord, format: TopicFormat): AppendRecord {
  const key = toBytes(record.key, format.key, format.keyTypes);
  return {
    topic: format.topic,
    partition: 0,
    key:
      format.window === null || record.window === null
        ? key
        : joinWindowedKey(key, record.window.session ? 'session' : format.window.type, record.window),
    value: toBytes(record.value, format.value, format.valueTypes),
    timestamp: record.timestamp ?? 0,
    headers: record.headers.map(h => ({
      name: h.name,
      value: h.value === null ? null : new Uint8Array(Buffer.from(h.value, 'base64')),
    })),
  };
}

function toBytes(json: JsonValue, format: FormatSpec, types: readonly SqlType[]): Uint8Array | null {
  if (json === null) return null;
  if (format.format === 'JSON') return utf8Bytes(jsonText(json));
  const type = types[0];
  if (format.format === 'KAFKA' && type !== undefined) return kafkaBytes(json, type);
  return utf8Bytes(plainText(json));
}

function kafkaBytes(json: Exclude<JsonValue, null>, type: SqlType): Uint8Array {
  const source = plainText(json);
  switch (type.kind) {
    case 'INT':
    case 'DOUBLE':
      return toKafkaPrimitive(Number(source), type);
    case 'BIGINT':
      return toKafkaPrimitive(BigInt(source), type);
    case 'BYTES':
      return new Uint8Array(Buffer.from(source, 'base64'));
    default:
      return utf8Bytes(source);
  }
}

function plainText(json: Exclude<JsonValue, null>): string {
  return typeof json === 'string' ? json : jsonText(json);
}

/** What a case compares of a written record. */
export interface PlainRecord {
  readonly key: JsonValue;
  readonly value: JsonValue;
  readonly timestamp: number;
  readonly window: { readonly start: number; readonly end: number } | null;
}

/** A written record as a case shows it: JSON as a tree, DELIMITED as text, KAFKA by the column's type. */
export function plainRecord(
  record: { readonly key: Uint8Array | null; readonly value: Uint8Array | null; readonly timestamp: number },
  format: TopicFormat,
): PlainRecord {
  const split =
    format.window === null || record.key === null
      ? { key: record.key, window: null }
      : splitWindowedKey(record.key, format.window.type, format.window.size);
  return {
    key: fromBytes(split.key, format.key, format.keyTypes),
    value: fromBytes(record.value, format.value, format.valueTypes),
    timestamp: record.timestamp,
    window: split.window,
  };
}

function fromBytes(bytes: Uint8Array | null, format: FormatSpec, types: readonly SqlType[]): JsonValue {
  if (bytes === null || format.format === 'NONE') return null;
  if (format.format === 'JSON') return readJson(bytes);
  const type = types[0];
  if (format.format === 'DELIMITED' || type === undefined) return utf8Text(bytes);
  const value = fromKafkaPrimitive(bytes, type);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (type.kind === 'DOUBLE') return new JsonNumber(doubleText(value as number));
  return typeof value === 'string' ? value : new JsonNumber(String(value));
}

/**
 * Equal as cases compare: numbers by value, field names without case, everything else exactly. A case may write a DECIMAL
 * as text: then its digits count.
 */
export function sameJson(a: JsonValue, b: JsonValue): boolean {
  if (a instanceof JsonNumber && b instanceof JsonNumber) return sameNumber(a.text, b.text);
  if (a instanceof JsonNumber) return a.text === b;
  if (b instanceof JsonNumber) return b.text === a;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (isJsonArray(a) || isJsonArray(b)) {
    return (
      isJsonArray(a) &&
      isJsonArray(b) &&
      a.length === b.length &&
      a.every((x, i) => sameJson(x, b[i] ?? null))
    );
  }
  return fieldsCovered(a, b) && fieldsCovered(b, a);
}

/** A field that is missing is the same as one that is NULL. */
function fieldsCovered(a: ReadonlyMap<string, JsonValue>, b: ReadonlyMap<string, JsonValue>): boolean {
  const upper = new Map([...b].map(([name, value]) => [name.toUpperCase(), value]));
  return [...a].every(([name, value]) =>
    sameJson(value, b.get(name) ?? upper.get(name.toUpperCase()) ?? null),
  );
}

function sameNumber(a: string, b: string): boolean {
  if (a === b) return true;
  const x = exactNumber(a);
  const y = exactNumber(b);
  if (x === null || y === null) return false;
  const scale = Math.max(x.scale, y.scale);
  return x.unscaled * 10n ** BigInt(scale - x.scale) === y.unscaled * 10n ** BigInt(scale - y.scale);
}
