import { MillraceError } from '../core/errors.ts';
import { jsonText, parseJson } from '../core/json.ts';
import type { LogRecord } from '../core/log-record.ts';
import type { JsonSchema } from './route-schema.ts';
import { POSITION } from './route-schema.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** longer values are shown as text: they are for browsing */
const MAX_JSON = 1 << 20;

export const SHOWN_RECORD: JsonSchema = {
  type: 'object',
  properties: {
    partition: { type: 'integer' },
    offset: { type: 'integer' },
    position: POSITION,
    timestamp: { type: 'integer', description: 'event time, ms' },
    appended: { type: 'integer', description: 'when it entered the log, ms' },
    key: { description: 'text, or {"base64"} where the bytes are none; null: no key' },
    value: {
      description:
        'JSON with its numbers as they were written, else text, else {"base64"}; null: a tombstone',
    },
    headers: { type: 'array', items: { type: 'object' } },
  },
};

/** A record as one line of JSON. `position`: of a view that has seen it. */
export function shownRecord(record: LogRecord, position: string): string {
  const { partition, offset, timestamp, appendTime, key, value, headers } = record;
  const place = { partition, offset, position, timestamp, appended: appendTime };
  const shownHeaders = headers.map(h => `{"name":${JSON.stringify(h.name)},"value":${textJson(h.value)}}`);
  return (
    `${JSON.stringify(place).slice(0, -1)},"key":${textJson(key)},"value":${valueJson(value)},` +
    `"headers":[${shownHeaders.join(',')}]}`
  );
}

function valueJson(value: Uint8Array | null): string {
  if (value === null) return 'null';
  try {
    return jsonText(parseJson(value, { maxSize: MAX_JSON }));
  } catch (error) {
    if (error instanceof MillraceError) return textJson(value);
    throw error;
  }
}

function textJson(bytes: Uint8Array | null): string {
  if (bytes === null) return 'null';
  try {
    return JSON.stringify(utf8.decode(bytes));
  } catch {
    return JSON.stringify({ base64: Buffer.from(bytes).toString('base64') });
  }
}
