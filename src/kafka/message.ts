import type { Message } from 'kafkajs';
import type { AppendRecord } from '../log/event-log.ts';

/** A record as the client sends it. */
export function messageOf(
  record: Pick<AppendRecord, 'key' | 'value' | 'timestamp' | 'headers'>,
  partition: number,
): Message {
  const { key, value, timestamp, headers } = record;
  return {
    partition,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }),
    ...(headers === undefined
      ? {}
      : { headers: Object.fromEntries(headers.map(h => [h.name, Buffer.from(h.value ?? [])])) }),
  };
}
