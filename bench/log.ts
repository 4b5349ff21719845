import { rmSync } from 'node:fs';
import { systemClock } from '../src/core/clock.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import type { AppendRecord, EventLog, LogReader } from '../src/log/event-log.ts';
import { type Bench, type Figure, runBench } from './bench.ts';
import { temporaryFolder } from './history.ts';

const CLIENTS = 16;
const BATCHES = [1, 5, 100, 1000];
/** records an append, of logs that are scanned; the first ones are what a live log looks like */
const WRITTEN = [1, 3, 500];
/** records per second that a sealed log gives, however it was written */
const SEALED_FLOOR = 8_000_000;
/** ms of processor time that are measured */
const SCANNED = 500;

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
  const dir = temporaryFolder();
  const log = await openEmbeddedLog({ dir, clock: systemClock });
  log.createTopic({ name: 'attempts', partitions: 1, keyIndex: false });
  try {
    return await work(log);
  } finally {
    await log.close();
    rmSync(dir, { recursive: true });
  }
}

async function appendRate(recordsPerAppend: number, seconds: number): Promise<number> {
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
    await Promise.all(Array.from({ length: CLIENTS }, one));
    return (appended / (performance.now() - start)) * 1000;
  });
}

/**
 * Touches every record's columns; gives records per second of the scanning thread's processor time: the segments are in
 * the page cache, so that nothing else is waited for. Scans again until the clock of that time, which ticks in
 * milliseconds, says enough.
 */
function scanRate(log: LogReader, enough: number): number {
  scan(log);
  const before = process.threadCpuUsage();
  for (let records = 0; ; ) {
    records += scan(log);
    const { user, system } = process.threadCpuUsage(before);
    if (user + system >= enough * 1000) return (records / (user + system)) * 1e6;
  }
}

function scan(log: LogReader): number {
  let records = 0;
  let bytes = 0;
  for (const block of log.scan(0)) {
    records += block.n;
    for (let i = 0; i < block.n; i++) bytes += block.valueEnd[i]! - block.valueStart[i]!;
  }
  if (bytes === 0) throw new Error('nothing was read');
  return records;
}

/** A log written in small appends, many under way, scanned before and after it is sealed. */
function scans(perAppend: number, records: number, enough: number): Promise<readonly Figure[]> {
  return withLog(async log => {
    for (let i = 0; i < records; ) {
      let { durable } = log.append({ records: [] });
      for (const chunk = Math.min(i + 2_000, records); i < chunk; i += perAppend) {
        ({ durable } = log.append({ records: Array.from({ length: perAppend }, (_, k) => attempt(i + k)) }));
      }
      await durable;
    }
    const tail = scanRate(log, enough);
    await log.seal();
    const sealed = scanRate(log, enough);
    const written = `a log written at ${perAppend} record${perAppend === 1 ? '' : 's'} an append`;
    return [
      {
        name: `scan-tail-${perAppend}`,
        what: `scan of ${written}, not sealed`,
        value: tail,
        unit: 'records/CPU-s',
      },
      {
        name: `scan-sealed-${perAppend}`,
        what: `scan of ${written}, sealed`,
        value: sealed,
        unit: 'records/CPU-s',
        floor: SEALED_FLOOR,
      },
    ];
  });
}

const bench: Bench = {
  name: 'log',
  title: `the embedded log: durable appends of 185-byte records, ${CLIENTS} under way, and scans`,
  async run({ quick }) {
    const figures: Figure[] = [];
    for (const recordsPerAppend of BATCHES) {
      figures.push({
        name: `append-${recordsPerAppend}`,
        what: `durable, ${recordsPerAppend} record${recordsPerAppend === 1 ? '' : 's'} an append`,
        value: await appendRate(recordsPerAppend, quick ? 0.2 : 2),
        unit: 'records/s',
      });
    }
    for (const perAppend of WRITTEN) {
      figures.push(...(await scans(perAppend, quick ? 6_000 : 300_000, quick ? 20 : SCANNED)));
    }
    return figures;
  },
};

if (import.meta.main) await runBench(bench);
