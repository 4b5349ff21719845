import { unreachable } from '../core/assert.ts';
import { parseDate, parseTime, parseTimestamp } from '../core/iso-time.ts';
import type { SqlType } from '../core/sql-type.ts';
import { typeText } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { fromBase64 } from './base64.ts';
import { DecodeError, fail, shown } from './decode-error.ts';
import { isJsonArray, JsonNumber, type JsonValue, jsonKind, jsonText } from './json-value.ts';
import { toBigint, toDecimal, toInt } from './number-text.ts';

/** Reads a JSON value as a SQL type. `undefined` (a missing field) and JSON null are SQL NULL. Throws DecodeError. */
export type JsonCoercion = (value: JsonValue | undefined) => Value | null;

type NotNull = (value: Exclude<JsonValue, null>) => Value | null;

/**
 * How ksqlDB's JSON format reads a type: numbers also from strings of digits, days and times also from ISO 8601 text, strings from anything (objects and arrays
 * as text), field names without case unless a field of exactly that name exists.
 */
export function jsonCoercion(type: SqlType): JsonCoercion {
  const read = notNull(type);
  return value => (value === null || value === undefined ? null : read(value));
}

function notNull(type: SqlType): NotNull {
  switch (type.kind) {
    case 'BOOLEAN':
      return v => (typeof v === 'boolean' ? v : mismatch(v, type));
    case 'INT':
      return v => toInt(numberText(v, type));
    case 'BIGINT':
      return v => toBigint(numberText(v, type));
    case 'DATE':
    case 'TIME':
      return v => isoValue(v, type.kind) ?? toInt(numberText(v, type));
    case 'TIMESTAMP':
      return v => isoValue(v, type.kind) ?? Number(toBigint(numberText(v, type)));
    case 'DOUBLE':
      return v => toDouble(v, type);
    case 'DECIMAL':
      return v =>
        toDecimal(
          v instanceof JsonNumber || typeof v === 'string' ? text(v) : mismatch(v, type),
          type.precision,
          type.scale,
        );
    case 'STRING':
      return toText;
    case 'BYTES':
      return v => (typeof v === 'string' ? fromBase64(v) : mismatch(v, type));
    case 'ARRAY':
      return arrayCoercion(type);
    case 'MAP':
      return mapCoercion(type);
    case 'STRUCT':
      return structCoercion(type);
    default:
      return unreachable(type);
  }
}

function text(v: JsonNumber | string): string {
  return typeof v === 'string' ? v : v.text;
}

/** Numbers as written; strings must be plain integers, as nothing else is coerced from text. */
function numberText(v: Exclude<JsonValue, null>, type: SqlType): string {
  if (v instanceof JsonNumber) return v.text;
  if (typeof v !== 'string') return mismatch(v, type);
  return INTEGER.test(v) ? v : fail(`${shown(v)} is no ${type.kind}`);
}

/** ISO 8601 text, as CAST reads it; null: a number, given as one or as a string of digits. */
function isoValue(v: Exclude<JsonValue, null>, kind: 'DATE' | 'TIME' | 'TIMESTAMP'): number | null {
  return typeof v !== 'string' || INTEGER.test(v) ? null : ISO[kind](v);
}

const INTEGER = /^[+-]?\d+$/;
const ISO = { DATE: parseDate, TIME: parseTime, TIMESTAMP: parseTimestamp };

function toDouble(v: Exclude<JsonValue, null>, type: SqlType): number {
  if (v instanceof JsonNumber) return Number(v.text);
  if (typeof v !== 'string') return mismatch(v, type);
  return doubleFromText(v);
}

/** Text as Java's Double.parseDouble reads it, without hexadecimal and type suffixes. */
export function doubleFromText(source: string): number {
  const trimmed = source.trim();
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(trimmed)) return Number(trimmed);
  if (trimmed === 'NaN') return Number.NaN;
  const infinity = /^([+-]?)Infinity$/.exec(trimmed);
  if (infinity) return infinity[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return fail(`${shown(source)} is no DOUBLE`);
}

function toText(v: Exclude<JsonValue, null>): string {
  if (typeof v === 'string') return v;
  if (v instanceof JsonNumber) return v.text;
  if (isJsonArray(v)) return `[${v.map(item => (item === null ? 'null' : toText(item))).join(', ')}]`;
  return jsonText(v);
}

function arrayCoercion(type: Extract<SqlType, { kind: 'ARRAY' }>): NotNull {
  const element = jsonCoercion(type.element);
  return v => (isJsonArray(v) ? v.map((item, i) => at(`[${i}]`, () => element(item))) : mismatch(v, type));
}

function mapCoercion(type: Extract<SqlType, { kind: 'MAP' }>): NotNull {
  const key = jsonCoercion(type.key);
  const value = jsonCoercion(type.value);
  return v => {
    if (!isObject(v)) return mismatch(v, type);
    const map = new Map<Value, Value | null>();
    for (const [name, item] of v) {
      at(`['${name}']`, () => map.set(key(name) ?? fail('map key is NULL'), value(item)));
    }
    return map;
  };
}

function structCoercion(type: Extract<SqlType, { kind: 'STRUCT' }>): NotNull {
  const names = type.fields.map(f => f.name);
  const readers = type.fields.map(f => jsonCoercion(f.type));
  return v => (isObject(v) ? readFields(v, names, readers) : mismatch(v, type));
}

/** The named fields of an object in order; a name matches exactly first, then by its upper-cased spelling. */
export function readFields(
  object: ReadonlyMap<string, JsonValue>,
  names: readonly string[],
  readers: readonly JsonCoercion[],
): (Value | null)[] {
  let upper: Map<string, JsonValue> | null = null;
  return names.map((name, i) => {
    let field = object.get(name);
    if (field === undefined) {
      upper ??= new Map([...object].map(([n, value]) => [n.toUpperCase(), value]));
      field = upper.get(name.toUpperCase());
    }
    return at(`.${name}`, () => (readers[i] as JsonCoercion)(field));
  });
}

export function isObject(v: JsonValue): v is ReadonlyMap<string, JsonValue> {
  return v instanceof Map;
}

function mismatch(v: JsonValue, type: SqlType): never {
  return fail(`cannot read ${jsonKind(v)} as ${typeText(type)}`);
}

/** Puts the path of the failing part before its message: `$.lines[2].amount: ...`. */
function at<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const inner = /^([.[].*?): /s.exec(error.message);
    throw new DecodeError(inner ? `${path}${error.message}` : `${path}: ${error.message}`);
  }
}
