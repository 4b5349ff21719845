import { unreachable } from '../core/assert.ts';
import type { Column } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { FormatSpec } from '../plan/plan.ts';
import { joinDelimited } from './delimited-text.ts';
import { fieldFromValue } from './field-text.ts';
import { jsonFromValue, jsonObject } from './json-writer.ts';
import { toKafkaPrimitive, utf8Bytes } from './kafka-primitive.ts';

/** Writes the columns of a record's key or value; null is a null key or value. */
export type ColumnsWriter = (row: Row) => Uint8Array | null;

export interface ColumnsWriterOptions {
  readonly columns: readonly Column[];
  readonly format: FormatSpec;
  /** a single column stands alone, without an object around it; its NULL is null bytes */
  readonly unwrapped: boolean;
}

export function columnsWriter({ columns, format, unwrapped }: ColumnsWriterOptions): ColumnsWriter {
  const [first] = columns;
  switch (format.format) {
    case 'JSON':
      if (unwrapped && first !== undefined) {
        return ([value = null]) => (value === null ? null : utf8Bytes(jsonFromValue(value, first.type)));
      }
      return row =>
        utf8Bytes(jsonObject(columns.map((c, i) => [c.name, jsonFromValue(row[i] ?? null, c.type)])));
    case 'DELIMITED':
      return row => {
        if (columns.length === 0 || (unwrapped && row[0] === null)) return null;
        return utf8Bytes(
          joinDelimited(
            columns.map((c, i) => fieldFromValue(row[i] ?? null, c.type)),
            format.delimiter,
          ),
        );
      };
    case 'KAFKA':
      return ([value = null]) =>
        value === null || first === undefined ? null : toKafkaPrimitive(value, first.type);
    case 'NONE':
      return () => null;
    default:
      return unreachable(format.format);
  }
}
