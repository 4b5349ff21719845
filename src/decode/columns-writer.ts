import { unreachable } from '../core/assert.ts';
import type { Column } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { FormatSpec } from '../plan/plan.ts';
import { joinDelimited } from './delimited-text.ts';
import { fieldFromValue } from './field-text.ts';
import { jsonFromValue } from './json-writer.ts';
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
      return objectWriter(columns);
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

function objectWriter(columns: readonly Column[]): ColumnsWriter {
  const members = columns.map(({ name, type }, i) => ({
    type,
    head: `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`,
  }));
  return row => {
    let text = members.length === 0 ? '{' : '';
    for (const [i, { head, type }] of members.entries()) text += head + jsonFromValue(row[i] ?? null, type);
    return utf8Bytes(`${text}}`);
  };
}
