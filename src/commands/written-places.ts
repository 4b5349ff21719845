import { MillraceError } from '../core/errors.ts';
import type { Header, LogRecord } from '../core/log-record.ts';
import type { EventLog } from '../log/event-log.ts';
import type { RecordPlace } from './command-partitions.ts';

/**
 * A result that was written elsewhere names where the other records of its command are: they reach each node's log in an
 * order of its own, and only when all are there does the result have a position there.
 */
const HEADER = 'millrace-written';

/** topic, partition, first offset, number of records */
type Run = readonly [topic: string, partition: number, first: number, count: number];

export function placesHeader(places: readonly RecordPlace[]): Header {
  const runs: [string, number, number, number][] = [];
  for (const { topic, partition, offset } of places) {
    const run = runs.findLast(r => r[0] === topic && r[1] === partition);
    if (run !== undefined && run[2] + run[3] === offset) run[3]++;
    else runs.push([topic, partition, offset, 1]);
  }
  return { name: HEADER, value: Buffer.from(JSON.stringify(runs)) };
}

export interface FoundPlaces {
  /** behind the result and all that the command wrote */
  readonly position: number;
  /** sequences of the records of one topic, in order */
  readonly sequences: (topic: string) => readonly number[];
}

/**
 * Where a result and the records of its command are in this log; null while one is not durable here. Throws
 * `value_undecodable` for a header that no node of this kind has written.
 */
export function foundPlaces(log: EventLog, result: LogRecord): FoundPlaces | null {
  if (result.seq >= log.end()) return null;
  const header = result.headers.find(h => h.name === HEADER)?.value;
  const runs = header ? runsIn(header) : [];
  let last = result.seq;
  for (const [topic, partition, first, count] of runs) {
    if (log.topic(topic) === null) return null;
    const seq = log.seqAtOffset(topic, partition, first + count - 1);
    if (seq >= log.end()) return null;
    last = Math.max(last, seq);
  }
  return {
    position: last + 1,
    sequences: name =>
      runs.flatMap(([topic, partition, first, count]) =>
        topic === name
          ? Array.from({ length: count }, (_, i) => log.seqAtOffset(topic, partition, first + i))
          : [],
      ),
  };
}

/** Anybody may write to a topic of Kafka. */
function runsIn(header: Uint8Array): readonly Run[] {
  let runs: unknown;
  try {
    runs = JSON.parse(Buffer.from(header).toString());
  } catch {
    runs = null;
  }
  if (Array.isArray(runs) && runs.every(isRun)) return runs;
  throw new MillraceError('value_undecodable', `the header ${HEADER} of a result names no places`, {
    hint: 'results are written by the nodes alone: do not produce to their topic',
  });
}

const isRun = (run: unknown): run is Run =>
  Array.isArray(run) &&
  run.length === 4 &&
  typeof run[0] === 'string' &&
  Number.isSafeInteger(run[1]) &&
  Number.isSafeInteger(run[2]) &&
  Number.isSafeInteger(run[3]) &&
  run[1] >= 0 &&
  run[2] >= 0 &&
  run[3] > 0;
