import { isJsonObject, type Json, JsonNumber } from '../core/json.ts';
import type { Header } from '../core/log-record.ts';
import type { AppendRecord, TopicInfo } from '../log/event-log.ts';
import { readObject } from './body.ts';
import { invalid, momentOf } from './query-params.ts';
import { rawMembers } from './raw-members.ts';
import { type JsonSchema, text, whole } from './route-schema.ts';

const MEMBERS = ['key', 'keyBase64', 'value', 'valueBase64', 'timestamp', 'headers', 'partition'];
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export const PRODUCED_RECORD: JsonSchema = {
  type: 'object',
  properties: {
    key: { description: 'a text, or any JSON; null or missing: no key' },
    value: {
      description: 'any JSON, kept byte for byte; a JSON string stands for its text; null is a tombstone',
    },
    keyBase64: text('the bytes of the key, instead of `key`'),
    valueBase64: text('the bytes of the value, instead of `value`'),
    timestamp: { description: 'event time: ms since 1970, or ISO 8601; without it the append time' },
    headers: {
      description: 'texts by name: {"name": "text"}, or [{"name", "value"}] where names repeat',
    },
    partition: whole('instead of the one that the key decides'),
  },
};

/** Reads one record of a request. `what` names it in errors: `the record`, `line 3`. */
export function producedRecord(bytes: Uint8Array, topic: TopicInfo, what: string): AppendRecord {
  const members = readObject(bytes, what, MEMBERS);
  const raw = rawMembers(Buffer.from(bytes).toString('utf8'));
  const data = (name: 'key' | 'value'): Uint8Array | null => {
    const encoded = members.get(`${name}Base64`) ?? null;
    if (encoded === null) return textBytes(members.get(name) ?? null, raw.get(name) ?? '');
    if (members.has(name)) throw invalid(`${what} has both "${name}" and "${name}Base64"`);
    if (typeof encoded !== 'string' || !BASE64.test(encoded)) {
      throw invalid(`"${name}Base64" of ${what} is not base64`);
    }
    return new Uint8Array(Buffer.from(encoded, 'base64'));
  };
  if (!members.has('value') && !members.has('valueBase64')) {
    throw invalid(`${what} has no "value"`, 'write "value": null for a tombstone');
  }
  return {
    topic: topic.name,
    key: data('key'),
    value: data('value'),
    timestamp: timestampOf(members.get('timestamp') ?? null, what),
    headers: headersOf(members.get('headers') ?? null, what),
    partition: partitionOf(members.get('partition') ?? null, topic, what),
  };
}

function textBytes(value: Json, raw: string): Uint8Array | null {
  if (value === null) return null;
  return new Uint8Array(Buffer.from(typeof value === 'string' ? value : raw, 'utf8'));
}

function timestampOf(value: Json, what: string): number | undefined {
  if (value === null) return undefined;
  const text = value instanceof JsonNumber ? value.text : value;
  const ms = typeof text === 'string' ? momentOf(text) : null;
  if (ms !== null) return ms;
  throw invalid(`the timestamp of ${what} is not a time`, 'give ms since 1970, or 2026-01-31T08:30:00Z');
}

function partitionOf(value: Json, topic: TopicInfo, what: string): number | undefined {
  if (value === null) return undefined;
  const n = value instanceof JsonNumber && /^[0-9]{1,9}$/.test(value.text) ? Number(value.text) : -1;
  if (n >= 0 && n < topic.partitions) return n;
  throw invalid(
    `the partition of ${what} does not exist`,
    `topic "${topic.name}" has partitions 0 to ${topic.partitions - 1}`,
  );
}

function headersOf(value: Json, what: string): Header[] | undefined {
  if (value === null) return undefined;
  const header = (name: Json | undefined, text: Json): Header => {
    if (typeof name !== 'string' || (text !== null && typeof text !== 'string')) {
      throw invalid(`a header of ${what} is not a text`);
    }
    return { name, value: text === null ? null : new Uint8Array(Buffer.from(text, 'utf8')) };
  };
  if (isJsonObject(value)) return [...value].map(([name, text]) => header(name, text));
  if (!Array.isArray(value)) throw invalid(`the headers of ${what} are not an object of texts`);
  return (value as readonly Json[]).map(item => {
    if (!isJsonObject(item)) throw invalid(`a header of ${what} is not {"name", "value"}`);
    return header(item.get('name'), item.get('value') ?? null);
  });
}
