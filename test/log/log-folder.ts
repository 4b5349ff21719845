import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import {
  type EmbeddedLogOptions,
  openEmbeddedLog,
  type StoredLog,
} from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { rec } from '../contract/event-log.contract.ts';

/** A folder that goes away with the test. */
export function logFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-log-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Opens the log of a folder; it is closed with the test at the latest. */
export async function openLog(dir: string, more: Partial<EmbeddedLogOptions> = {}): Promise<StoredLog> {
  const log = await openEmbeddedLog({ dir, clock: new ManualClock(1_000), ...more });
  onTestFinished(() => log.close());
  return log;
}

export function segmentFiles(dir: string): string[] {
  return readdirSync(join(dir, 'segments'))
    .sort()
    .map(name => join(dir, 'segments', name));
}

/** Waits until everything accepted is durable. */
export async function settled(log: EventLog): Promise<void> {
  await log.append({ records: [] }).durable;
}

/** Appends records that hold their own sequence as value, `perAppend` at a time. */
export async function fill(log: EventLog, records: number, perAppend = 10): Promise<void> {
  log.createTopic({ name: 'a', partitions: 3, keyIndex: true });
  while (records > 0) {
    const from = log.topic('a')?.records ?? 0;
    const n = Math.min(perAppend, records);
    log.append({
      records: Array.from({ length: n }, (_, i) =>
        rec('a', `k${(from + i) % 7}`, `${from + i}`.padStart(200, '0')),
      ),
    });
    records -= n;
    if (records % 100 === 0) await settled(log);
  }
  await settled(log);
}
