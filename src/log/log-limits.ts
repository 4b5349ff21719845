import { MillraceError } from '../core/errors.ts';
import type { AppendRecord, TopicSpec } from './event-log.ts';

/** Bounds that every adapter of the log keeps, so that one caller cannot hurt the others. */
export interface LogLimits {
  /** key + value + headers of one record, bytes */
  readonly recordBytes: number;
  /** the same in replicated topics: what another system has accepted should find room */
  readonly replicatedRecordBytes: number;
  readonly headersPerRecord: number;
  /** of one header, bytes */
  readonly headerNameBytes: number;
  readonly recordsPerAppend: number;
  /** all records of one append together, bytes */
  readonly appendBytes: number;
  /** of appends that wait for the disk, bytes: beyond it further ones are refused until the disk has caught up */
  readonly waitingBytes: number;
  readonly partitionsPerTopic: number;
  readonly topics: number;
}

export const DEFAULT_LOG_LIMITS: LogLimits = Object.freeze({
  recordBytes: 1 << 20,
  replicatedRecordBytes: 16 << 20,
  headersPerRecord: 64,
  headerNameBytes: 1024,
  recordsPerAppend: 100_000,
  appendBytes: 64 << 20,
  waitingBytes: 16 << 20,
  partitionsPerTopic: 1024,
  topics: 10_000,
});

/** Kafka's rule, so that every topic may also live there. */
const TOPIC_NAME = /^[A-Za-z0-9._-]{1,249}$/;

export function checkTopicSpec(spec: TopicSpec, limits: LogLimits): void {
  if (!TOPIC_NAME.test(spec.name) || spec.name === '.' || spec.name === '..') {
    throw new MillraceError('invalid_topic', `"${spec.name.slice(0, 60)}" is no name for a topic`, {
      hint: 'use 1 to 249 letters, digits, ".", "_" or "-"',
    });
  }
  const { partitions } = spec;
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > limits.partitionsPerTopic) {
    throw new MillraceError('invalid_topic', `topic "${spec.name}" cannot have ${partitions} partitions`, {
      hint: `use 1 to ${limits.partitionsPerTopic} partitions`,
    });
  }
}

/** The bytes of a record that count against the limits. Throws when the record breaks one. */
export function checkedRecordBytes(record: AppendRecord, limits: LogLimits): number {
  let bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
  const { headers, timestamp } = record;
  if (headers !== undefined && headers.length > 0) {
    if (headers.length > limits.headersPerRecord) {
      throw new MillraceError(
        'limit_exceeded',
        `a record for topic "${record.topic}" has ${headers.length} headers`,
        { hint: `at most ${limits.headersPerRecord} headers fit one record` },
      );
    }
    for (const header of headers) {
      const name = Buffer.byteLength(header.name);
      if (name > limits.headerNameBytes) {
        throw new MillraceError('limit_exceeded', `a header's name has ${name} bytes`, {
          hint: `at most ${limits.headerNameBytes} bytes fit the name of a header`,
        });
      }
      bytes += name + (header.value?.length ?? 0);
    }
  }
  if (bytes > limits.recordBytes) {
    throw new MillraceError('record_too_large', `a record for topic "${record.topic}" has ${bytes} bytes`, {
      hint: `at most ${limits.recordBytes} bytes (key, value and headers) fit one record`,
      data: { bytes, limit: limits.recordBytes },
    });
  }
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp)) {
    throw new MillraceError('invalid_argument', `${timestamp} is no timestamp in milliseconds`, {
      hint: 'give the event time as a whole number of milliseconds since 1970',
    });
  }
  return bytes;
}
