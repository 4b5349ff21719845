import type { LogRecord, RecordBlock } from '../core/log-record.ts';

/** `read` cuts its blocks here when the caller does not say where. */
export const MAX_READ_RECORDS = 8192;

/** A block of consecutive records given as objects: for the memory log and for tests, not for scans. */
export function blockOf(records: readonly LogRecord[]): RecordBlock {
  const n = records.length;
  let size = 0;
  for (const record of records) size += (record.key?.length ?? 0) + (record.value?.length ?? 0);
  const bytes = new Uint8Array(size);
  const names: string[] = [];
  const ids = new Map<string, number>();
  const block = {
    firstSeq: records[0]?.seq ?? 0,
    n,
    bytes,
    topics: names,
    topic: new Int32Array(n),
    partition: new Int32Array(n),
    offset: new Float64Array(n),
    timestamp: new Float64Array(n),
    appendTime: new Float64Array(n),
    keyStart: new Int32Array(n).fill(-1),
    keyEnd: new Int32Array(n).fill(-1),
    valueStart: new Int32Array(n).fill(-1),
    valueEnd: new Int32Array(n).fill(-1),
    headers: records.some(r => r.headers.length > 0) ? records.map(r => r.headers) : null,
  };
  let at = 0;
  for (const [i, record] of records.entries()) {
    let id = ids.get(record.topic);
    if (id === undefined) {
      id = names.push(record.topic) - 1;
      ids.set(record.topic, id);
    }
    block.topic[i] = id;
    block.partition[i] = record.partition;
    block.offset[i] = record.offset;
    block.timestamp[i] = record.timestamp;
    block.appendTime[i] = record.appendTime;
    if (record.key !== null) {
      bytes.set(record.key, at);
      block.keyStart[i] = at;
      at += record.key.length;
      block.keyEnd[i] = at;
    }
    if (record.value !== null) {
      bytes.set(record.value, at);
      block.valueStart[i] = at;
      at += record.value.length;
      block.valueEnd[i] = at;
    }
  }
  return block;
}
