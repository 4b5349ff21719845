import { formatDate, formatTime, formatTimestamp } from '../../core/iso-time.ts';
import type { SqlType } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import type { JsonOf } from '../sink-target.ts';
import { isPlain } from './column-types.ts';

/** A value as PostgreSQL reads it from text. */
export type CellText = (value: Value) => string;

export function cellText(type: SqlType, json: JsonOf): CellText {
  switch (type.kind) {
    case 'BOOLEAN':
      return v => (v === true ? 't' : 'f');
    case 'INT':
    case 'BIGINT':
    case 'DOUBLE':
      // NaN, Infinity and -Infinity are PostgreSQL's words too
      return v => (Object.is(v, -0) ? '-0' : `${v as number | bigint}`);
    case 'DECIMAL':
      return json(type);
    case 'STRING':
      return v => v as string;
    case 'BYTES':
      return v => bytesText(v as Uint8Array);
    case 'DATE':
      return v => era(formatDate(v as number), '');
    case 'TIME':
      return v => formatTime(v as number);
    case 'TIMESTAMP':
      return v => era(formatTimestamp(v as number), 'Z');
    case 'ARRAY': {
      if (!isPlain(type.element)) return json(type);
      const element = cellText(type.element, json);
      return v =>
        `{${(v as readonly (Value | null)[])
          .map(x => (x === null ? 'NULL' : `"${element(x).replace(/["\\]/g, '\\$&')}"`))
          .join(',')}}`;
    }
    case 'MAP':
    case 'STRUCT':
      return json(type);
  }
}

export function bytesText(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}

/** PostgreSQL counts the years before 1 backwards. */
function era(text: string, zone: string): string {
  if (!text.startsWith('-') && !text.startsWith('0000')) return text + zone;
  const year = /^-?\d+/.exec(text)?.[0] ?? '';
  return `${String(1 - Number(year)).padStart(4, '0')}${text.slice(year.length)}${zone} BC`;
}

const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A cell of COPY's text format. */
export function copyCell(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[\\\n\r\t]/g, c => ESCAPES[c] as string) : text;
}

export const COPY_NULL = '\\N';
