import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/core/clock.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import type { AppendRecord, EventLog, LogReader } from '../src/log/event-log.ts';

export interface LogFigures {
  /** durable records per second by records per append, several appends under way */
  readonly appendsPerSecond: readonly {
    readonly recordsPerAppend: number;
    readonly recordsPerSecond: number;
  }[];
  /** records per second of a scan, by what it reads */
  readonly scan: readonly { readonly what: string; readonly recordsPerSecond: number }[];
}

/** An authorization attempt of about 185 bytes with key. */
function attempt(i: number): AppendRecord {
  const card = `4000-${String((i * 7919) % 20_000).padStart(12, '0')}`;
  const value = JSON.stringify({
    card_number: card,
    amount: `${(i % 900) + 1}.${String(i % 100).padStart(2, '0')}`,
    merchant: `merchant ${i % 500}`,
    city: 'Berlin',
    attempt_id: `a-${String(i).padStart(10, '0')}`,
    attempted_at: 1_700_000_000_000 + i * 10,
  });
  return {
    topic: 'attempts',
    key: Buffer.from(card),
    value: Buffer.from(value),
    timestamp: 1_700_000_000_000 + i * 10,
  };
}

async function withLog<T>(work: (log: EventLog) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const log = await openEmbeddedLog({ dir, clock: systemClock });
  log.createTopic({ name: 'attempts', partitions: 1, keyIndex: false });
  try {
    return await work(log);
  } finally {
    await log.close();
    rmSync(dir, { recursive: true });
  }
}

async function appendRate(recordsPerAppend: number, underWay: number, seconds: number): Promise<number> {
  return withLog(async log => {
    let appended = 0;
    const start = performance.now();
    const until = start + seconds * 1000;
    const one = async () => {
      while (performance.now() < until) {
        const records = Array.from({ length: recordsPerAppend }, () => attempt(appended++));
        await log.append({ records }).durable;
      }
    };
    await Promise.all(Array.from({ length: underWay }, one));
    return (appended / (performance.now() - start)) * 1000;
  });
}

/** Touches every record's columns; gives records per second of the best of three scans. */
export function scanRate(log: LogReader): number {
  let best = 0;
  for (let run = 0; run < 3; run++) {
    const start = performance.now();
    let records = 0;
    let bytes = 0;
    for (const block of log.read(0)) {
      records += block.n;
      for (let i = 0; i < block.n; i++) bytes += block.valueEnd[i]! - block.valueStart[i]!;
    }
    if (bytes === 0) throw new Error('nothing was read');
    best = Math.max(best, (records / (performance.now() - start)) * 1000);
  }
  return best;
}

async function scanRates(records: number): Promise<LogFigures['scan']> {
  const figures: { what: string; recordsPerSecond: number }[] = [];
  for (const perCommit of [1, 5, 500]) {
    await withLog(async log => {
      const count = perCommit === 1 ? records / 10 : records;
      for (let i = 0; i < count; i += perCommit) {
        const { durable } = log.append({
          records: Array.from({ length: perCommit }, (_, k) => attempt(i + k)),
        });
        if (perCommit < 500 || i % 50_000 === 0) await durable;
      }
      await log.append({ records: [] }).durable;
      figures.push({ what: `tail, ${perCommit} records per commit`, recordsPerSecond: scanRate(log) });
      await log.seal();
      figures.push({ what: `the same, sealed`, recordsPerSecond: scanRate(log) });
    });
  }
  return figures;
}

export async function benchLog(records = 200_000): Promise<LogFigures> {
  const appendsPerSecond = [];
  for (const recordsPerAppend of [1, 5, 100, 1000]) {
    const recordsPerSecond = await appendRate(recordsPerAppend, 16, 2);
    appendsPerSecond.push({ recordsPerAppend, recordsPerSecond });
  }
  return { appendsPerSecond, scan: await scanRates(records) };
}

if (import.meta.main) {
  const { appendsPerSecond, scan } = await benchLog();
  const show = (n: number) => Math.round(n).toLocaleString('en');
  for (const a of appendsPerSecond) {
    console.log(
      `durable, 16 under way, ${a.recordsPerAppend} per append: ${show(a.recordsPerSecond)} records/s`,
    );
  }
  for (const s of scan) console.log(`scan, ${s.what}: ${show(s.recordsPerSecond)} records/s`);
}
