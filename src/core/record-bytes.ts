import type { LogRecord } from './log-record.ts';

/** bytes that a record takes beside its key, value and headers in a batch of any format, at most; a header likewise */
const PER_RECORD = 40;
const PER_HEADER = 10;

/** What a record takes where it is sent, never less. */
export function recordBytes(
  record: Pick<LogRecord, 'key' | 'value'> & { readonly headers?: LogRecord['headers'] | undefined },
): number {
  const { key, value, headers = [] } = record;
  let bytes = PER_RECORD + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) {
    bytes += PER_HEADER + Buffer.byteLength(header.name) + (header.value?.length ?? 0);
  }
  return bytes;
}
