/** Record batches as a broker sends them (format 2, not compressed): enough for tests without a broker. */
export interface BatchToWrite {
  readonly offset: number;
  readonly values: readonly string[];
  readonly timestamp?: number;
  readonly producer?: bigint;
  readonly transactional?: boolean;
  /** a marker, instead of values */
  readonly marker?: 'commit' | 'abort';
}

export function recordBatch(batch: BatchToWrite): Buffer {
  const { offset, producer = -1n, timestamp = 0, transactional = false, marker } = batch;
  const records =
    marker === undefined ? batch.values.map((v, i) => record(i, null, v)) : [markerRecord(marker)];
  const body = Buffer.concat(records);
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(BigInt(offset), 0);
  header.writeInt32BE(49 + body.length, 8);
  header.writeInt8(2, 16);
  header.writeInt16BE(
    (transactional || marker !== undefined ? 0x10 : 0) | (marker === undefined ? 0 : 0x20),
    21,
  );
  header.writeInt32BE(records.length - 1, 23);
  header.writeBigInt64BE(BigInt(timestamp), 27);
  header.writeBigInt64BE(BigInt(timestamp), 35);
  header.writeBigInt64BE(producer, 43);
  header.writeInt32BE(records.length, 57);
  return Buffer.concat([header, body]);
}

const markerRecord = (marker: 'commit' | 'abort'): Buffer =>
  record(0, Buffer.from([0, 0, 0, marker === 'commit' ? 1 : 0]), '');

function record(delta: number, key: Buffer | null, value: string): Buffer {
  const parts = [
    Buffer.from([0]),
    varint(0),
    varint(delta),
    key === null ? varint(-1) : Buffer.concat([varint(key.length), key]),
    varint(Buffer.byteLength(value)),
    Buffer.from(value),
    varint(0),
  ];
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(body.length), body]);
}

function varint(n: number): Buffer {
  const bytes: number[] = [];
  let rest = n < 0 ? -2 * n - 1 : 2 * n;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
