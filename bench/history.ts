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
import type { AppendRecord, EventLog } from '../src/log/event-log.ts';
import { authorizationAttempts } from './events.ts';

/** environment variable: a folder in which the benches of one run share their histories */
export const HISTORIES = 'MILLRACE_BENCH_HISTORIES';

export const ATTEMPTS = 'authorization-attempts';

/** Authorization attempts in a sealed log, and the same records as lines of a file. */
export interface History {
  /** a data folder: the log lies in it */
  readonly dataDir: string;
  readonly lines: string;
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
  const history = { dataDir, lines: join(dataDir, 'attempts.ndjson'), count };
  try {
    if (!existsSync(dataDir)) await writeAttempts(dataDir, count);
    return await work(history);
  } finally {
    if (shared === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

async function writeAttempts(dataDir: string, count: number): Promise<void> {
  const unfinished = `${dataDir}.unfinished`;
  mkdirSync(unfinished, { recursive: true });
  const log = await openEmbeddedLog({ dir: logDir(unfinished), clock: new ManualClock(0) });
  const lines = openSync(join(unfinished, 'attempts.ndjson'), 'w');
  await fill(log, ATTEMPTS, written(authorizationAttempts({ topic: ATTEMPTS, count }), lines));
  closeSync(lines);
  await log.close();
  renameSync(unfinished, dataDir);
}

/** The same records, each written to a file on its way. */
function* written(records: Iterable<AppendRecord>, file: number): Generator<AppendRecord> {
  let lines: Uint8Array[] = [];
  const write = () => {
    writeSync(file, Buffer.concat(lines));
    lines = [];
  };
  for (const record of records) {
    lines.push(record.value ?? NOTHING, NEWLINE);
    if (lines.length >= 20_000) write();
    yield record;
  }
  write();
}

const NOTHING = new Uint8Array(0);
const NEWLINE = Buffer.from('\n');

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
