import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../src/core/clock.ts';
import { logDir } from '../src/dataflow/worker-environment.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import { openLogReader } from '../src/log/embedded/log-reader.ts';
import type { AppendRecord, EventLog } from '../src/log/event-log.ts';
import { authorizationAttempts } from './events.ts';

/** environment variable: a folder in which the benches of one run share their histories */
export const HISTORIES = 'MILLRACE_BENCH_HISTORIES';

export const ATTEMPTS = 'authorization-attempts';

/** Authorization attempts in a sealed log. */
export interface History {
  /** a data folder: the log lies in it */
  readonly dataDir: string;
  readonly count: number;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-bench-'));
}

/** Makes a history, or finds the one that an earlier bench of this run has made, for `work`. */
export async function withAttempts<T>(count: number, work: (history: History) => T | Promise<T>): Promise<T> {
  const shared = process.env[HISTORIES];
  const folder = shared ?? temporaryFolder();
  const dataDir = join(folder, `attempts-${count}`);
  try {
    if (!existsSync(dataDir)) await writeAttempts(dataDir, count);
    return await work({ dataDir, count });
  } finally {
    if (shared === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

async function writeAttempts(dataDir: string, count: number): Promise<void> {
  const unfinished = `${dataDir}.unfinished`;
  mkdirSync(unfinished, { recursive: true });
  const log = await openEmbeddedLog({ dir: logDir(unfinished), clock: new ManualClock(0) });
  await fill(log, ATTEMPTS, authorizationAttempts({ topic: ATTEMPTS, count }));
  await log.close();
  renameSync(unfinished, dataDir);
}

/** The same records as lines of a file, for contenders that know no log; made when it is first asked for. */
export async function linesOf({ dataDir }: History): Promise<string> {
  const path = join(dataDir, 'attempts.ndjson');
  if (existsSync(path)) return path;
  const log = openLogReader(logDir(dataDir));
  const file = openSync(`${path}.unfinished`, 'w');
  for (const block of log.scan(0, undefined, LINES_AT_ONCE)) {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < block.n; i++) {
      parts.push(block.bytes.subarray(block.valueStart[i], block.valueEnd[i]), NEWLINE);
    }
    writeSync(file, Buffer.concat(parts));
  }
  closeSync(file);
  await log.close();
  renameSync(`${path}.unfinished`, path);
  return path;
}

const NEWLINE = Buffer.from('\n');
const LINES_AT_ONCE = 16_384;

/** Appends records to a new topic and seals them. */
export async function fill(log: EventLog, topic: string, events: Iterable<AppendRecord>): Promise<void> {
  log.createTopic({ name: topic, partitions: 1, keyIndex: false });
  let records: AppendRecord[] = [];
  for (const record of events) {
    records.push(record);
    if (records.length < 5000) continue;
    await log.append({ records }).durable;
    records = [];
  }
  if (records.length > 0) await log.append({ records }).durable;
  await log.seal();
}
