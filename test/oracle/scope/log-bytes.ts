import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../../src/core/clock.ts';
import { type LogRecord, type RecordBlock, TICK_TOPIC } from '../../../src/core/log-record.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { AppendRecord, EventLog } from '../../../src/log/event-log.ts';
import type { Random } from '../generator/random.ts';

/** Records as some log gives them: in blocks that it cuts itself. */
export interface Records {
  readonly name: string;
  read(from: number, to: number): Iterable<RecordBlock>;
}

/**
 * Writes the records to an embedded log, in appends of random sizes, and lets `use` read them: first from the tail alone,
 * then partly sealed, then with all of it sealed.
 */
export async function withEmbeddedLog<T>(
  records: readonly LogRecord[],
  topics: readonly { readonly name: string; readonly partitions: number }[],
  random: Random,
  use: (logs: Records) => T | null,
): Promise<T | null> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-oracle-'));
  const log = await openEmbeddedLog({ dir, clock: new ManualClock(0) });
  try {
    for (const { name, partitions } of topics) log.createTopic({ name, partitions, keyIndex: false });
    const half = random.int(0, records.length);
    await write(log, records.slice(0, half), random);
    await log.seal();
    await write(log, records.slice(half), random);
    const most = random.of([1, 3, 1000]);
    const read = (from: number, to: number) => log.read(from, to, most);
    const partly = use({ name: 'log sealed in part', read });
    if (partly !== null) return partly;
    await log.seal();
    return use({ name: 'sealed log', read });
  } finally {
    await log.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Records of one clock may stand in one append; a tick is an append of its own. */
async function write(log: EventLog, records: readonly LogRecord[], random: Random): Promise<void> {
  let append: AppendRecord[] = [];
  let clock = 0;
  let durable = Promise.resolve();
  const flush = () => {
    if (append.length > 0) durable = log.append({ records: append, appendTime: clock }).durable;
    append = [];
  };
  for (const { topic, partition, key, value, timestamp, appendTime } of records) {
    if (appendTime !== clock || topic === TICK_TOPIC || random.chance(0.3)) flush();
    clock = appendTime;
    if (topic === TICK_TOPIC) durable = log.tick(appendTime).durable;
    else append.push({ topic, partition, key, value, timestamp });
  }
  flush();
  await durable;
}
