import { unreachable } from '../core/assert.ts';
import type { Column } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { FormatSpec } from '../plan/plan.ts';
import { fail } from './decode-error.ts';
import { splitDelimited } from './delimited-text.ts';
import { valueFromField } from './field-text.ts';
import { isObject, jsonCoercion, readFields } from './json-coercion.ts';
import { readJson } from './json-reader.ts';
import { jsonKind } from './json-value.ts';
import { fromKafkaPrimitive, utf8Text } from './kafka-primitive.ts';

/** Reads the columns of a record's key or value. Null: the bytes stand for no value at all (JSON `null`). */
export type ColumnsReader = (bytes: Uint8Array) => Row | null;

export interface ColumnsReaderOptions {
  readonly columns: readonly Column[];
  readonly format: FormatSpec;
  /** a single column stands alone, without an object around it */
  readonly unwrapped: boolean;
  /** columns that somebody reads: the others are NULL and may hold anything */
  readonly needed: (column: Column) => boolean;
}

export function columnsReader({ columns, format, unwrapped, needed }: ColumnsReaderOptions): ColumnsReader {
  if (columns.length === 0) return () => [];
  switch (format.format) {
    case 'JSON':
      return unwrapped ? jsonValueReader(columns) : jsonObjectReader(columns, needed);
    case 'DELIMITED':
      return delimitedReader(columns, format.delimiter, needed);
    case 'KAFKA':
      return kafkaReader(columns);
    case 'NONE':
      return () => columns.map(() => null);
    default:
      return unreachable(format.format);
  }
}

function jsonObjectReader(columns: readonly Column[], needed: (column: Column) => boolean): ColumnsReader {
  const names = columns.map(c => c.name);
  const readers = columns.map(c => (needed(c) ? jsonCoercion(c.type) : () => null));
  return bytes => {
    const json = readJson(bytes);
    if (json === null) return null;
    if (!isObject(json)) return fail(`expected a JSON object, found ${jsonKind(json)}`);
    return readFields(json, names, readers);
  };
}

function jsonValueReader(columns: readonly Column[]): ColumnsReader {
  const read = jsonCoercion(onlyColumn(columns).type);
  return bytes => {
    const json = readJson(bytes);
    return json === null ? null : [read(json)];
  };
}

function delimitedReader(
  columns: readonly Column[],
  delimiter: string,
  needed: (column: Column) => boolean,
): ColumnsReader {
  return bytes => {
    // a single NULL is written as nothing at all
    if (bytes.length === 0 && columns.length === 1) return [null];
    const fields = splitDelimited(utf8Text(bytes), delimiter);
    if (fields.length !== columns.length) {
      return fail(`expected ${columns.length} fields, found ${fields.length}`);
    }
    return columns.map((c, i) => {
      if (!needed(c)) return null;
      try {
        return valueFromField(fields[i] ?? '', c.type);
      } catch (error) {
        return fail(`${c.name}: ${(error as Error).message}`);
      }
    });
  };
}

function kafkaReader(columns: readonly Column[]): ColumnsReader {
  const { type } = onlyColumn(columns);
  return bytes => [fromKafkaPrimitive(bytes, type)];
}

function onlyColumn(columns: readonly Column[]): Column {
  const [column] = columns;
  return column !== undefined && columns.length === 1 ? column : fail('the format holds one column only');
}
